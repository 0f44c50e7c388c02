"""What an object's visible points say about its shape: kind, centre, direction and size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.outline import Outline, fit_circle, measure_outline

PAD_HEIGHT = 0.006  # m; lower things lie flat on the table
STANDING = 0.010  # m; what is seen to within this of the table stands on it
ROUND_KINDS = ("bowl", "cylinder", "sphere")
ROUND_FILL = 0.89  # a circle fills 0.785 of its box, a rectangle all of it
WIDENING = 0.25  # of a pixel's width: what the outermost pixels fall short of the edges together
LONG = 1.6  # a box longer than this against its width is no cube


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as its points describe it."""

    kind: str  # cube | box | cylinder | sphere | bowl | pad
    centre: FloatArray  # (3,) m, base frame
    yaw: float | None  # rad; None for round things
    extent: FloatArray  # (3,) m along the yaw axis, across it, and up


def describe(points: FloatArray, eye: FloatArray, spacing: float) -> Shape:
    """Describe the object that shows the points (3, n); `eye` (3,) is the camera that sees most of it."""
    outline = measure_outline(points[:2], WIDENING * spacing)
    low, top = _span(points)
    if top < PAD_HEIGHT:
        return _shape("pad", outline, 0.0, top)
    if min(outline.sides) < 0.5 * min(max(outline.sides), top - low):
        outline = _complete_front(outline, eye)
    kind = _kind(points, outline, low, top)
    if kind in ROUND_KINDS:
        outline = fit_circle(outline, WIDENING * spacing)
    return _shape(kind, outline, _bottom(outline, low, top), top)


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


def _kind(points: FloatArray, outline: Outline, low: float, top: float) -> str:
    radius = outline.sides.mean() / 2
    distance = np.hypot(points[0] - outline.centre[0], points[1] - outline.centre[1]) / radius
    drop = top - points[2]
    inside = distance < 0.8
    disc = outline.fill < ROUND_FILL
    height = max(top - low, 1e-3)
    hollow = inside & (drop > max(0.005, 0.25 * height))
    if inside.sum() >= 8 and hollow.sum() > 0.5 * inside.sum() and disc:
        return "bowl"
    if disc:
        ring = (distance > 0.5) & (distance < 0.8) & (drop < radius)
        falls = ring.any() and float(np.median(drop[ring])) > 0.12 * radius
        return "sphere" if falls else "cylinder"
    return "box" if outline.sides.max() > LONG * outline.sides.min() else "cube"


def _complete_front(outline: Outline, eye: FloatArray) -> Outline:
    """Give depth to a face of which only the front is seen: as deep as wide, away from the camera."""
    width, depth = outline.sides
    across = np.array([-np.sin(outline.yaw), np.cos(outline.yaw)])
    away = across if across @ (outline.centre - eye[:2]) > 0 else -across
    centre = outline.centre + away * (width - depth) / 2
    return replace(outline, centre=centre, sides=np.array([width, width]))


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
