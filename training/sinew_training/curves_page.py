"""The page of `sinew curves`: groups of trainings over decisions, and what each needed to reach a level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from sinew_core.types import FloatArray
from sinew_eval.charts import DASH, ticks
from sinew_eval.page import render_page

from sinew_training.curves import Group, Steps

SHEET = ("sinew_training", "curves.css")
WIDTH, HEIGHT = 1000.0, 100.0  # of a plot's coordinates, which are stretched to the page
COLOURS = 8  # --c0 to --c7 in report.css


def render_curves(title: str, groups: Sequence[Group], level: float) -> str:
    """Return the page."""
    seeds = sorted({len(group.runs) for group in groups})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    runs = "training" if seeds == [1] else "trainings"
    sections = [
        _plot(
            "Success of the greedy policy",
            "Share of fresh scenes, over the decisions made while learning. Lines: median of the seeds; "
            f"bands: lowest to highest; dashed: {100 * level:.0f} %.",
            groups,
            "success",
            level,
        ),
        _table(groups, level),
    ]
    if any(
        len(run.interventions.values) and run.interventions.values.any() for g in groups for run in g.runs
    ):
        sections.append(
            _plot("Takeovers", "Share of decisions that a person made.", groups, "interventions", None)
        )
    body = (
        f"<header><p class='kicker'>Sinew learning curves</p><h1>{escape(title)}</h1>"
        f"<p class='lead'>{', '.join(escape(group.name) for group in groups)} "
        f"<span class='quiet'>{many} {runs} each.</span></p></header><main>{''.join(sections)}</main>"
    )
    return render_page(f"{title} · learning curves", body, SHEET)


def _plot(heading: str, caption: str, groups: Sequence[Group], kind: str, level: float | None) -> str:
    spreads = [group.spread(kind) for group in groups]
    end = max((float(steps[-1]) for steps, _ in spreads if steps.size), default=1.0) or 1.0
    top = 1.0 if level is not None else _top([values for _, values in spreads])
    shares = [i / 4 for i in range(5)]
    grid = "".join(f'<line class="grid" x1="0" x2="{WIDTH:.0f}" y1="{y}" y2="{y}"/>' for y in map(_y, shares))
    if level is not None:
        grid += f'<line class="level" x1="0" x2="{WIDTH:.0f}" y1="{_y(level)}" y2="{_y(level)}"/>'
    curves = "".join(
        _curve(steps / end, values / top, i % COLOURS) for i, (steps, values) in enumerate(spreads)
    )
    labels = "".join(
        f'<span class="tick y" style="top:{_y(share):.1f}%">{100 * top * share:.3g} %</span>'
        for share in shares
    )
    labels += "".join(
        f'<span class="tick x" style="left:{100 * tick / end:.2f}%">{tick:g}</span>' for tick in ticks(end)
    )
    return (
        f'<section><h2>{heading}</h2><figure class="plot"><div class="area">'
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{heading} of {escape(", ".join(group.name for group in groups), quote=True)}">'
        f"{grid}{curves}</svg>{labels}</div><figcaption>{caption}</figcaption></figure></section>"
    )


def _top(values: Sequence[FloatArray]) -> float:
    """Return where a scale that begins at nothing ends: at a round share."""
    highest = max((float(v.max()) for v in values if v.size), default=0.0)
    return max(0.02, math.ceil(highest * 20) / 20)


def _curve(x: Steps | FloatArray, values: FloatArray, colour: int) -> str:
    if not len(x):
        return ""
    low, middle, high = (np.array([_y(value) for value in row]) for row in values)
    place = WIDTH * np.asarray(x)
    around = [*zip(place, high, strict=True), *zip(place[::-1], low[::-1], strict=True)]
    points = " ".join(f"{a:.1f},{b:.2f}" for a, b in around)
    line = "L".join(f"{a:.1f} {b:.2f}" for a, b in zip(place, middle, strict=True))
    return (
        f'<polygon points="{points}" style="fill:var(--c{colour})"/>'
        f'<path d="M{line}" style="stroke:var(--c{colour})"/>'
    )


def _y(share: float) -> float:
    return HEIGHT * (1.0 - share)


def _table(groups: Sequence[Group], level: float) -> str:
    head = ("", f"decisions to {100 * level:.0f} %", "best success", "wall clock")
    rows = "".join(_row(i % COLOURS, group, level) for i, group in enumerate(groups))
    names = "".join(f"<th scope='col'>{name}</th>" for name in head)
    return (
        f"<section><h2>Figures</h2><table class='runs'><thead><tr>{names}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p class='caption'>Median of the seeds, with the range below it."
        "</p></section>"
    )


def _row(colour: int, group: Group, level: float) -> str:
    best = np.array([run.success.values.max() for run in group.runs])
    minutes = np.array([run.wall_s for run in group.runs]) / 60
    cells = (
        _cell(*(_decisions(steps) for steps in group.steps_to(level))),
        _cell(*(f"{100 * value:.0f} %" for value in (best.min(), np.median(best), best.max()))),
        _cell(*(f"{value:.1f} min" for value in (minutes.min(), np.median(minutes), minutes.max()))),
    )
    swatch = f'<i class="swatch" style="background:var(--c{colour})"></i>'
    return f"<tr><td>{swatch}{escape(group.name)}</td>{''.join(cells)}</tr>"


def _decisions(steps: float) -> str:
    return f"{steps:,.0f}" if math.isfinite(steps) else "never"


def _cell(low: str, middle: str, high: str) -> str:
    spread = "" if low == high else f"<span class='range'>{low} {DASH} {high}</span>"
    return f"<td>{middle}{spread}</td>"
