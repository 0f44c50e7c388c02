"""Charts of a reward's report, as inline SVG and bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from sinew_core.types import NANOSECONDS, FloatArray
from sinew_eval.charts import number, ticks

from sinew_rewards.report.standing import By, Case

WIDTH, HEIGHT = 420, 220  # of a chart's coordinate system
LEFT, BOTTOM = 46, 34  # room for labels
LINES = 12  # episodes of an outcome that are drawn
OUTCOMES = {True: "good", False: "bad", None: "quiet"}
WORDS = {True: "success", False: "failure", None: "unknown outcome"}


def curves(cases: Sequence[Case], by: By) -> str:
    """Return each episode's standing over its time, by outcome."""
    shown = [c for outcome in (None, False, True) for c in _of(cases, outcome)[:LINES]]
    series = [(case, _seconds(case), case.standing(by)) for case in shown]
    values = np.concatenate([y[np.isfinite(y)] for _, _, y in series])
    low, high = _range(values)
    end = max(float(t[-1]) for _, t, _ in series) or 1.0
    lines = "".join(
        f"<path class='{OUTCOMES[case.trajectory.success]}' d='{_path(t / end, (y - low) / (high - low))}'>"
        f"<title>{escape(case.trajectory.name)}, {WORDS[case.trajectory.success]}</title></path>"
        for case, t, y in series
    )
    marks = [(tick / end, f"{tick:g} s") for tick in ticks(end)]
    described = "what the reward says of each held-out episode over its time"
    return _frame(lines, low, high, marks, described)


def endings(cases: Sequence[Case], by: By) -> str:
    """Return where episodes end, successes above failures: a failure to the right of a success is wrong."""
    rows = [outcome for outcome in (True, False, None) if _of(cases, outcome)]
    finals = {outcome: np.array([c.final(by) for c in _of(cases, outcome)]) for outcome in rows}
    low, high = _range(np.concatenate(list(finals.values())))
    width = WIDTH - 2 * LEFT
    parts, step = [], 52
    for i, outcome in enumerate(rows):
        y = 30 + step * i
        parts.append(f"<text x='0' y='{y - 18}'>{WORDS[outcome]} ({len(finals[outcome])})</text>")
        parts.append(f"<line class='track' x1='{LEFT}' x2='{LEFT + width}' y1='{y}' y2='{y}'/>")
        for case, final in zip(_of(cases, outcome), finals[outcome], strict=True):
            x = LEFT + width * (final - low) / (high - low)
            name = escape(case.trajectory.name)
            parts.append(
                f"<circle class='{OUTCOMES[outcome]}' cx='{x:.1f}' cy='{y}' r='5'>"
                f"<title>{name}: {number(float(final))}</title></circle>"
            )
    if True in finals and False in finals:
        x = LEFT + width * (float(finals[False].max()) - low) / (high - low)
        bottom = 30 + step * (len(rows) - 1) + 12
        parts.append(f"<line class='limit' x1='{x:.1f}' x2='{x:.1f}' y1='14' y2='{bottom}'/>")
    height = 30 + step * len(rows)
    for value, anchor, x in ((low, "start", LEFT), (high, "end", LEFT + width)):
        parts.append(f"<text x='{x}' y='{height - 6}' text-anchor='{anchor}'>{number(float(value))}</text>")
    return (
        f"<svg class='chart' viewBox='0 0 {WIDTH} {height}' role='img' "
        f"aria-label='where successes and failures end'>{''.join(parts)}</svg>"
    )


def bars(items: Sequence[tuple[str, float, str]], most: float) -> str:
    """Return a bar for each name, value and note; what is below nothing has none."""
    rows = "".join(
        f"<li><span class='name'>{escape(name.replace('_', ' '))}</span><span class='bar'>"
        f"<i style='width:{100 * min(max(value / most, 0.0), 1.0):.1f}%'></i></span>"
        f"<span class='note'>{escape(note)}</span></li>"
        for name, value, note in items
    )
    return f"<ul class='bars'>{rows}</ul>"


def legend(cases: Sequence[Case]) -> str:
    """Return what the colours mean, of the outcomes there are."""
    there = [outcome for outcome in (True, False, None) if _of(cases, outcome)]
    items = "".join(f"<span class='key {OUTCOMES[o]}'>{WORDS[o]}</span>" for o in there)
    return f"<p class='legend'>{items}</p>"


def _of(cases: Sequence[Case], outcome: bool | None) -> list[Case]:
    return [case for case in cases if case.trajectory.success is outcome]


def _seconds(case: Case) -> FloatArray:
    stamps = case.trajectory.stamps
    return np.asarray((stamps - stamps[0]) / NANOSECONDS, np.float64)


def _range(values: FloatArray) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _path(x: FloatArray, y: FloatArray) -> str:
    """Return a path of points in the unit square, broken where values are missing."""
    width, height = WIDTH - LEFT - 6, HEIGHT - BOTTOM - 6
    commands, down = [], False
    for a, b in zip(x, y, strict=True):
        if np.isfinite(b):
            commands.append(f"{'L' if down else 'M'}{LEFT + width * a:.1f} {6 + height * (1 - b):.1f}")
        down = bool(np.isfinite(b))
    return "".join(commands)


def _frame(body: str, low: float, high: float, marks: Sequence[tuple[float, str]], described: str) -> str:
    width, height = WIDTH - LEFT - 6, HEIGHT - BOTTOM - 6
    levels = "".join(
        f"<line x1='{LEFT}' x2='{LEFT + width}' y1='{6 + height * q:.1f}' y2='{6 + height * q:.1f}'/>"
        for q in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    texts = "".join(
        f"<text x='{LEFT - 6}' y='{6 + height * (1 - q) + 4:.1f}' text-anchor='end'>"
        f"{number(low + q * (high - low), 2)}</text>"
        for q in (0.0, 0.5, 1.0)
    )
    texts += "".join(
        f"<text x='{LEFT + width * at:.1f}' y='{HEIGHT - 12}' "
        f"text-anchor='{'start' if at == 0 else 'end' if at > 0.97 else 'middle'}'>{text}</text>"
        for at, text in marks
    )
    return (
        f"<svg class='chart' viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(described)}'>"
        f"<g class='grid'>{levels}</g>{body}{texts}</svg>"
    )
