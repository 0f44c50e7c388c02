"""What an object's visible points say about its shape: kind, centre, direction and size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sinew_core.types import FloatArray

PAD_HEIGHT = 0.006  # m; lower things lie flat on the table
STANDING = 0.010  # m; what is seen to within this of the table stands on it
ROUND_FILL = 0.89  # a circle fills 0.785 of its box, a rectangle all of it
LONG = 1.6  # a box longer than this against its width is no cube


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as its points describe it."""

    kind: str  # cube | box | cylinder | sphere | bowl | pad
    centre: FloatArray  # (3,) m, base frame
    yaw: float | None  # rad; None for round things
    extent: FloatArray  # (3,) m along the yaw axis, across it, and up


@dataclass(frozen=True, slots=True)
class Outline:
    """An object from above."""

    centre: FloatArray  # (2,) m
    sides: FloatArray  # (2,) m, along the yaw axis and across it
    yaw: float  # rad
    fill: float  # share of the box that is filled

    @property
    def round(self) -> bool:
        """Whether it is a disc rather than a rectangle."""
        return self.fill < ROUND_FILL


def describe(points: FloatArray, eye: FloatArray, spacing: float) -> Shape:
    """Describe the object that shows the points (n, 3); `eye` (3,) is the camera that sees most of it."""
    outline = measure_outline(points, spacing)
    low, top = _span(points)
    if top < PAD_HEIGHT:
        return _shape("pad", outline, 0.0, top)
    if min(outline.sides) < 0.5 * min(max(outline.sides), top - low):
        outline = _complete_front(outline, eye)
    kind = _kind(points, outline, low, top)
    if kind in ("bowl", "cylinder", "sphere"):
        outline = _fit_circle(points, outline, spacing)
    return _shape(kind, outline, _bottom(outline, low, top), top)


def measure_outline(points: FloatArray, spacing: float) -> Outline:
    """Return the smallest box around points seen from above, half a pixel wider on every side."""
    hull = cv2.convexHull(points[:, :2].astype(np.float32))
    (x, y), (a, b), degrees = cv2.minAreaRect(hull)
    yaw, sides = np.radians(degrees), np.array([a, b])
    if b > a:
        yaw, sides = yaw + np.pi / 2, sides[::-1]
    fill = cv2.contourArea(hull) / max(a * b, 1e-9)
    return Outline(np.array([x, y]), sides + spacing, _wrap(yaw, np.pi), fill)


def _span(points: FloatArray) -> tuple[float, float]:
    """Return the lowest and highest that is surely seen; single wrong pixels do not count."""
    heights = np.sort(points[:, 2])
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
    distance = np.linalg.norm(points[:, :2] - outline.centre, axis=1) / radius
    drop = top - points[:, 2]
    inside = distance < 0.8
    height = max(top - low, 1e-3)
    hollow = inside & (drop > max(0.005, 0.25 * height))
    if inside.sum() >= 8 and hollow.sum() > 0.5 * inside.sum() and outline.round:
        return "bowl"
    if outline.round:
        ring = (distance > 0.5) & (distance < 0.8) & (drop < radius)
        falls = ring.any() and float(np.median(drop[ring])) > 0.12 * radius
        return "sphere" if falls else "cylinder"
    return "box" if outline.sides.max() > LONG * outline.sides.min() else "cube"


def _complete_front(outline: Outline, eye: FloatArray) -> Outline:
    """Give depth to a face of which only the front is seen: as deep as wide, away from the camera."""
    width, depth = outline.sides
    across = np.array([-np.sin(outline.yaw), np.cos(outline.yaw)])
    away = across if across @ (outline.centre - eye[:2]) > 0 else -across
    return Outline(
        outline.centre + away * (width - depth) / 2, np.array([width, width]), outline.yaw, outline.fill
    )


def _fit_circle(points: FloatArray, outline: Outline, spacing: float) -> Outline:
    """Fit the circle of a round outline by least squares, so that a hidden part does not move it."""
    hull = cv2.convexHull(points[:, :2].astype(np.float32)).reshape(-1, 2).astype(np.float64)
    if len(hull) < 6:
        return outline
    origin = hull.mean(axis=0)
    local = hull - origin
    A = np.column_stack([2 * local, np.ones(len(local))])
    (x, y, rest), *_ = np.linalg.lstsq(A, (local**2).sum(axis=1), rcond=None)
    radius = np.sqrt(max(rest + x * x + y * y, 0.0))
    centre = origin + [x, y]
    if np.linalg.norm(centre - outline.centre) > 0.5 * outline.sides.max():
        return outline
    return Outline(centre, np.full(2, 2 * radius + spacing), outline.yaw, outline.fill)


def _shape(kind: str, outline: Outline, bottom: float, top: float) -> Shape:
    centre = np.array([*outline.centre, (bottom + top) / 2])
    extent = np.array([*outline.sides, top - bottom])
    if kind in ("bowl", "cylinder", "sphere"):
        return Shape(kind, centre, None, extent)
    yaw = _wrap(outline.yaw, np.pi / 2) if kind == "cube" else outline.yaw
    return Shape(kind, centre, yaw, extent)


def _wrap(angle: float, period: float) -> float:
    """Return the angle in [-period / 2, period / 2)."""
    return float((angle + period / 2) % period - period / 2)
