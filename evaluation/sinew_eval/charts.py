"""Charts as inline SVG: curves as one strip a term, and a rate with its interval on a 0 to 100 % scale.

Strips, not one plot: the terms of a reward differ by orders of magnitude, and a success bonus would
flatten all others. Only lines are SVG, stretched to the page; every letter is HTML and keeps its size
on a phone.
"""

from __future__ import annotations

import math
from html import escape

import numpy as np
from sinew_core.types import FloatArray

from sinew_eval.recording import Curves

COLOURS = 8  # --c0 to --c7 in report.css
WIDTH, HEIGHT = 1000.0, 100.0  # of a strip's coordinate system
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
TICKS = 4  # about, on the time axis


def reward_strips(curves: Curves) -> str:
    """Return a figure of the reward and each of its terms over the robot's time.

    Terms get their mean, not their sum: a term may be a flag or a stage that does not add up.
    """
    strips = [_strip("reward", curves.time, curves.reward, f"sum {number(curves.total)}", "total")]
    strips += [
        _strip(name, curves.time, values, f"mean {number(curves.means[name])}", f"c{i % COLOURS}")
        for i, (name, values) in enumerate(curves.terms.items())
    ]
    return (
        '<figure class="curves"><figcaption>Reward of each step and its terms over the robot\'s time, '
        f"each on its own scale.</figcaption>{''.join(strips)}"
        f"{_time_axis(curves.time)}</figure>"
    )


def _strip(name: str, time: FloatArray, values: FloatArray, note: str, colour: str) -> str:
    low, high = _range(values)
    label = f'<span class="name">{escape(name)}</span>'
    label += f'<span class="sum">{note}</span>'
    described = escape(f"{name}, between {number(low)} and {number(high)}", quote=True)
    bounds = "".join(f"<span>{number(bound, 2)}</span>" for bound in dict.fromkeys((high, low)))
    zero = ""
    if low < 0 < high:
        y = _y(0.0, low, high)
        zero = f'<line class="zero" x1="0" x2="{WIDTH:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return (
        f'<div class="strip {colour}"><div class="label">{label}</div><div class="scale">'
        f"{bounds}</div>"
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{described}">{zero}<path d="{_path(time, values, low, high)}"/></svg></div>'
    )


def _range(values: FloatArray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _path(time: FloatArray, values: FloatArray, low: float, high: float) -> str:
    """Return the path of a curve, broken where values are missing."""
    span = float(time[-1]) or 1.0
    commands: list[str] = []
    pen_down = False
    for t, value in zip(time, values, strict=True):
        if not np.isfinite(value):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{WIDTH * t / span:.1f} {_y(value, low, high):.1f}")
        pen_down = True
    if len(commands) == 1:
        commands.append(f"h{WIDTH / 100:.0f}")  # a single point is no line
    return "".join(commands)


def _y(value: float, low: float, high: float) -> float:
    margin = 6.0
    share = 0.5 if high == low else (value - low) / (high - low)
    return HEIGHT - margin - share * (HEIGHT - 2 * margin)


def _time_axis(time: FloatArray) -> str:
    end = float(time[-1])
    marks = [
        f'<span style="left:{100 * tick / end:.2f}%">{tick:g} s</span>' for tick in ticks(end) if end > 0
    ]
    return f'<div class="axis"><div></div><div></div><div class="ticks">{"".join(marks)}</div></div>'


def ticks(end: float) -> list[float]:
    """Return round values from 0 to `end`, about TICKS of them."""
    if end <= 0:
        return [0.0]
    raw = end / TICKS
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw * 0.999)
    return [float(f"{i * step:.6g}") for i in range(int(end / step + 1e-9) + 1)]


def interval_bar(rate: float | None, interval: tuple[float, float]) -> str:
    """Return a 0 to 100 % scale with the interval as a band and the rate as a mark."""
    low, high = (100 * bound for bound in interval)
    mark = "" if rate is None else f'<circle cx="{6 * 100 * rate + 10:.1f}" cy="16" r="7"/>'
    quarters = (0, 25, 50, 75, 100)
    lines = "".join(f'<line x1="{6 * p + 10}" x2="{6 * p + 10}" y1="8" y2="24"/>' for p in quarters)
    labels = "".join(f'<span style="left:{(6 * p + 10) / 6.2:.2f}%">{p} %</span>' for p in quarters)
    described = f"success rate with 95 % interval from {low:.0f} to {high:.0f} %"
    return (
        f'<svg class="interval" viewBox="0 0 620 32" role="img" aria-label="{described}">'
        f'<line class="track" x1="10" x2="610" y1="16" y2="16"/>{lines}'
        f'<rect x="{6 * low + 10:.1f}" width="{max(6 * (high - low), 2):.1f}" y="10" height="12" rx="6"/>'
        f'{mark}</svg><div class="interval-ticks" aria-hidden="true">{labels}</div>'
    )


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, and a whole one from 100 on."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else DASH
    text = f"{value:.0f}" if 100 <= abs(value) < 1e6 else f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    return (f"{mantissa}e{int(exponent)}" if exponent else mantissa).replace("-", MINUS)
