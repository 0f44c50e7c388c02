"""What an object's visible points say about its shape: kind, centre, direction and size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.fitting import fit_ball
from sinew_perception.outline import (
    LEAST_FILL,
    LONG,
    ROUND_ERROR,
    Outline,
    circle_error,
    fit_circle,
    measure_outline,
)
from sinew_perception.partial import MAX_RADIUS, TOP_FACE, fit_partial

PAD_HEIGHT = 0.006  # m; lower things lie flat on the table
FOOT = 0.004  # m; what is seen down to here is seen down to the table
STANDING = 0.010  # m; what is guessed to end below this stands on the table
ROUND_FILL = 0.89  # a circle fills 0.785 of its box, a rectangle all of it
WIDENING = 0.25  # of a pixel's width: what the outermost pixels fall short of the edges together
BOWL_WIDTH = 0.045  # m; what is hollow and narrower is a part of something else
WHOLE = 0.95  # less of its own outline than this, and an object is described by its surface


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as its points describe it."""

    kind: str  # cube | cylinder | sphere | bowl | pad
    centre: FloatArray  # (3,) m, base frame
    yaw: float | None  # rad; None for round things
    extent: FloatArray  # (3,) m along the yaw axis, across it, and up
    seen: float = 1.0  # share of the object's near side


@dataclass(frozen=True, slots=True)
class Sight:
    """How an object is seen."""

    eye: FloatArray  # (3,) m, base frame, of the camera that sees most of it
    spacing: float  # m between neighbouring pixels
    own: float  # share of the outline that nothing in front of it hides
    cameras: int  # that see it


def describe(points: FloatArray, sight: Sight) -> Shape | None:
    """Describe the object that shows the points (3, n), or return None where they do not say what it is.

    Its outline from above tells what it is when it is seen all around. Otherwise its surface has to.
    """
    widening = WIDENING * sight.spacing
    outline = measure_outline(points[:2], widening)
    low, top = _span(points)
    disc = fit_circle(outline, widening) if outline.fill < ROUND_FILL else None
    if top < PAD_HEIGHT:
        return _shape("pad", disc or outline, 0.0, top)
    if disc is not None and _hollow(points, outline, low, top):
        return _shape("bowl", disc, _bottom(disc.width, low, top), top)
    whole = sight.own >= WHOLE and not outline.long and outline.fill > LEAST_FILL
    clear = disc is None or circle_error(outline) < ROUND_ERROR
    if whole and clear and sight.cameras > 1:
        return _describe_whole(points, outline, disc, low, top)
    shape = _describe_partial(points, sight, low, top)
    if shape is None and whole:
        return _describe_whole(points, outline, disc, low, top)
    return shape or _describe_face(outline, disc, low, top)


def _describe_whole(
    points: FloatArray, outline: Outline, disc: Outline | None, low: float, top: float
) -> Shape | None:
    if disc is None:
        bottom = _bottom(outline.width, low, top)
        stacked = top - bottom > LONG * outline.sides[0]
        return None if stacked else _shape("cube", outline, bottom, top)
    if _falls_off(points, outline, top):
        return _sphere(points)
    return _shape("cylinder", disc, _bottom(disc.width, low, top), top)


def _describe_partial(points: FloatArray, sight: Sight, low: float, top: float) -> Shape | None:
    fit = fit_partial(points, sight.eye, low, top)
    if fit is None:
        return None
    turned = None if fit.yaw is None else _wrap(fit.yaw, np.pi / 2)
    bottom = top - fit.width if fit.kind == "sphere" else _bottom(fit.width, low, top)
    seen = min(1.0, points.shape[1] * sight.spacing**2 / (fit.width * (top - bottom)))
    if fit.kind == "sphere":
        return replace(_sphere(points), seen=seen)
    centre = np.array([*fit.centre, (bottom + top) / 2])
    return Shape(fit.kind, centre, turned, np.array([fit.width, fit.width, top - bottom]), seen)


def _describe_face(outline: Outline, disc: Outline | None, low: float, top: float) -> Shape | None:
    """Describe an object of which a part of the top is seen and no wall."""
    if top - low > TOP_FACE:
        return None
    if disc is None:
        seen = outline.width / outline.sides[0]
        return replace(_shape("cube", outline, _bottom(outline.sides[0], low, top), top), seen=seen)
    if circle_error(outline) > ROUND_ERROR or disc.width > 2 * MAX_RADIUS:
        return None
    seen = min(1.0, outline.fill * float(outline.sides.prod()) / (np.pi / 4 * disc.width**2))
    return replace(_shape("cylinder", disc, _bottom(disc.width, low, top), top), seen=seen)


def _sphere(points: FloatArray) -> Shape:
    ball = fit_ball(points)
    return Shape("sphere", ball.centre, None, np.full(3, 2 * ball.radius))


def _span(points: FloatArray) -> tuple[float, float]:
    """Return the lowest and highest that is surely seen; single wrong pixels do not count."""
    heights = np.sort(points[2])
    last = len(heights) - 1
    low, top = heights[round(0.02 * last)], heights[round(0.98 * last)]
    return float(low), float(top)


def _bottom(width: float, low: float, top: float) -> float:
    """Return where the object ends below, from what is seen of its sides.

    Unless its foot is seen, it is as high as it is wide; if it would then nearly reach the table, it
    stands there.
    """
    if low < FOOT:
        return 0.0
    guess = min(low, top - width)
    return 0.0 if guess < STANDING else guess


def _hollow(points: FloatArray, outline: Outline, low: float, top: float) -> bool:
    """Whether it is wide, and deep in the middle."""
    if outline.width < BOWL_WIDTH:
        return False
    inside = _from_centre(points, outline) < 0.8
    deep = top - points[2, inside] > max(0.005, 0.25 * (top - low))
    return len(deep) >= 8 and bool(deep.mean() > 0.5)


def _falls_off(points: FloatArray, outline: Outline, top: float) -> bool:
    """Whether the top bends down towards the edge, as a sphere's does and a cylinder's does not."""
    radius = outline.sides.mean() / 2
    distance, drop = _from_centre(points, outline), top - points[2]
    ring = (distance > 0.5) & (distance < 0.8) & (drop < radius)
    return bool(ring.any() and float(np.median(drop[ring])) > 0.12 * radius)


def _from_centre(points: FloatArray, outline: Outline) -> FloatArray:
    """Return the points' distances (n,) from the middle, 1 at the edge."""
    x, y = outline.centre
    distance: FloatArray = np.hypot(points[0] - x, points[1] - y) / (outline.sides.mean() / 2)
    return distance


def _shape(kind: str, outline: Outline, bottom: float, top: float) -> Shape:
    centre = np.array([*outline.centre, (bottom + top) / 2])
    extent = np.array([*outline.sides, top - bottom])
    if outline.fill < ROUND_FILL:
        return Shape(kind, centre, None, extent)
    return Shape(kind, centre, _wrap(outline.yaw, np.pi / 2 if kind == "cube" else np.pi), extent)


def _wrap(angle: float, period: float) -> float:
    """Return the angle in [-period / 2, period / 2)."""
    return float((angle + period / 2) % period - period / 2)
