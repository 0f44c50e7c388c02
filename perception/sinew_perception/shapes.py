"""What an object's visible points say about its shape: kind, centre, direction and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.outline import Outline, fit_circle, measure_outline
from sinew_perception.partial import fit_partial

PAD_HEIGHT = 0.006  # m; lower things lie flat on the table
STANDING = 0.010  # m; what is seen to within this of the table stands on it
ROUND_KINDS = ("bowl", "cylinder", "sphere")
ROUND_FILL = 0.89  # a circle fills 0.785 of its box, a rectangle all of it
WIDENING = 0.25  # of a pixel's width: what the outermost pixels fall short of the edges together
BOWL_WIDTH = 0.045  # m; what is hollow and narrower is a part of something else
WHOLE = 0.95  # less of its own outline than this, and an object is described by its surface
LEAST_FILL = 0.72  # what fills less of its box than a disc is not seen whole
LONG = 1.5  # nor is what is longer than this against its width


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as its points describe it."""

    kind: str  # cube | cylinder | sphere | bowl | pad
    centre: FloatArray  # (3,) m, base frame
    yaw: float | None  # rad; None for round things
    extent: FloatArray  # (3,) m along the yaw axis, across it, and up


def describe(points: FloatArray, eye: FloatArray, spacing: float, own: float) -> Shape | None:
    """Describe the object that shows the points (3, n), or return None where they do not say what it is.

    `eye` (3,) is the camera that sees most of it, `spacing` (m) the distance of its pixels there, and
    `own` the share of the outline that nothing in front of it hides.
    """
    outline = measure_outline(points[:2], WIDENING * spacing)
    low, top = _span(points)
    if top < PAD_HEIGHT:
        return _shape("pad", outline, 0.0, top)
    if _hollow(points, outline, low, top):
        return _shape("bowl", fit_circle(outline, WIDENING * spacing), _bottom(outline, low, top), top)
    if own < WHOLE or outline.fill < LEAST_FILL or outline.sides[0] > LONG * outline.sides[1]:
        return _describe_partial(points, eye, low, top)
    kind = _kind(points, outline, top)
    if kind in ROUND_KINDS:
        outline = fit_circle(outline, WIDENING * spacing)
    return _shape(kind, outline, _bottom(outline, low, top), top)


def _describe_partial(points: FloatArray, eye: FloatArray, low: float, top: float) -> Shape | None:
    fit = fit_partial(points, eye, low, top)
    if fit is None:
        return None
    outline = Outline(fit.centre, np.full(2, fit.width), fit.yaw or 0.0, 1.0, points[:2].T)
    return _shape(fit.kind, outline, _bottom(outline, low, top), top)


def _span(points: FloatArray) -> tuple[float, float]:
    """Return the lowest and highest that is surely seen; single wrong pixels do not count."""
    heights = np.sort(points[2])
    last = len(heights) - 1
    low, top = heights[round(0.02 * last)], heights[round(0.98 * last)]
    return float(low), float(top)


def _bottom(outline: Outline, low: float, top: float) -> float:
    """Return where the object ends below, from what is seen of its sides.

    Unless its foot is seen, it is as high as it is wide; if it would then nearly reach the table, it
    stands there.
    """
    if low < STANDING:
        return 0.0
    guess = min(low, top - float(outline.sides.min()))
    return 0.0 if guess < STANDING else guess


def _hollow(points: FloatArray, outline: Outline, low: float, top: float) -> bool:
    """Whether it is wide, round and deep in the middle."""
    if outline.sides[0] < BOWL_WIDTH or outline.fill > ROUND_FILL:
        return False
    inside = _from_centre(points, outline) < 0.8
    deep = top - points[2, inside] > max(0.005, 0.25 * (top - low))
    return len(deep) >= 8 and bool(deep.mean() > 0.5)


def _kind(points: FloatArray, outline: Outline, top: float) -> str:
    if outline.fill > ROUND_FILL:
        return "cube"
    radius = outline.sides.mean() / 2
    distance, drop = _from_centre(points, outline), top - points[2]
    ring = (distance > 0.5) & (distance < 0.8) & (drop < radius)
    falls = ring.any() and float(np.median(drop[ring])) > 0.12 * radius
    return "sphere" if falls else "cylinder"


def _from_centre(points: FloatArray, outline: Outline) -> FloatArray:
    """Return the points' distances (n,) from the middle, 1 at the edge."""
    x, y = outline.centre
    distance: FloatArray = np.hypot(points[0] - x, points[1] - y) / (outline.sides.mean() / 2)
    return distance


def _shape(kind: str, outline: Outline, bottom: float, top: float) -> Shape:
    centre = np.array([*outline.centre, (bottom + top) / 2])
    extent = np.array([*outline.sides, top - bottom])
    if kind in ROUND_KINDS:
        return Shape(kind, centre, None, extent)
    yaw = _wrap(outline.yaw, np.pi / 2 if kind == "cube" else np.pi)
    return Shape(kind, centre, yaw, extent)


def _wrap(angle: float, period: float) -> float:
    """Return the angle in [-period / 2, period / 2)."""
    return float((angle + period / 2) % period - period / 2)
