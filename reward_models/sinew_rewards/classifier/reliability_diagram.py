"""The reliability diagram: how often what was said turned out true."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from sinew_rewards.classifier.calibration import Bin

PLOT = 220  # edge of the square, in the coordinates of the drawing
TALLEST = 34  # of the bars below it
READING = (
    "On the diagonal, what is said with 70 % is true in 70 % of the cases. The bars show how many there are "
    "(as square roots)."
)


def reliability_diagram(bins: Sequence[Bin], said: str, true: str) -> str:
    """Return, as SVG, the share of what was true over the probability said; bars show how often that is.

    Both axes are named, `said` and `true`. ValueError without bins.
    """
    if not bins:
        raise ValueError("reliability diagram: expected at least one bin.")
    total, most = sum(item.count for item in bins), max(item.count for item in bins)
    bars = "".join(_bar(item, most) for item in bins)
    dots = "".join(_dot(item, total) for item in bins)
    return (
        f"<svg class='chart reliability' viewBox='-56 -8 {PLOT + 68} {PLOT + 92}' role='img' "
        f"aria-label='reliability diagram: {escape(true)} over {escape(said)}'>{_grid()}"
        f"<line class='ideal' x1='0' y1='{PLOT}' x2='{PLOT}' y2='0'/><g class='counts'>{bars}</g>{dots}"
        f"<text x='{PLOT / 2}' y='{PLOT + 78}' text-anchor='middle'>{escape(said)}, %</text>"
        f"<text transform='translate(-40 {PLOT / 2}) rotate(-90)' text-anchor='middle'>{escape(true)}, %"
        "</text></svg>"
    )


def _grid() -> str:
    lines = "".join(
        f"<line x1='0' x2='{PLOT}' y1='{PLOT * q}' y2='{PLOT * q}'/>"
        f"<line y1='0' y2='{PLOT}' x1='{PLOT * q}' x2='{PLOT * q}'/>"
        for q in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    labels = "".join(
        f"<text x='{PLOT * q}' y='{PLOT + 60}' text-anchor='middle'>{100 * q:.0f}</text>"
        f"<text x='-8' y='{PLOT * (1 - q) + 4}' text-anchor='end'>{100 * q:.0f}</text>"
        for q in (0.0, 0.5, 1.0)
    )
    return f"<g class='grid'>{lines}</g>{labels}"


def _bar(item: Bin, most: int) -> str:
    x, width = PLOT * item.low, PLOT * (item.high - item.low)
    height = TALLEST * np.sqrt(item.count / most)
    return (
        f"<rect x='{x + 2:.1f}' y='{PLOT + 44 - height:.1f}' width='{width - 4:.1f}' "
        f"height='{max(height, 1):.1f}'><title>{_title(item)}</title></rect>"
    )


def _dot(item: Bin, total: int) -> str:
    x, y, ideal = PLOT * item.said, PLOT * (1 - item.true), PLOT * (1 - item.said)
    return (
        f"<line class='gap' x1='{x:.1f}' x2='{x:.1f}' y1='{y:.1f}' y2='{ideal:.1f}'/>"
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{3 + 5 * np.sqrt(item.count / total):.1f}'>"
        f"<title>{_title(item)}</title></circle>"
    )


def _title(item: Bin) -> str:
    return f"{item.low:.1f} to {item.high:.1f}: {item.count}, says {item.said:.2f}, true {item.true:.2f}"
