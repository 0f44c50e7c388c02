"""The outline of an object seen from above: the smallest box and the circle around its points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.fitting import fit_ball

LEAST_FILL = 0.72  # what fills less of its box than a disc does is not one object seen whole
ROUND_ERROR = 0.0008  # m, root mean square, of a disc's rim
LONG = 1.5  # of the width; nor is what is longer than this

_ANGLES = np.arange(32) * np.pi / 32
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # (32, 2)


@dataclass(frozen=True, slots=True)
class Outline:
    """The smallest box around the points, and how much of it they fill."""

    centre: FloatArray  # (2,) m
    sides: FloatArray  # (2,) m, along the yaw axis and across it; the longer one first
    yaw: float  # rad
    fill: float  # 0.785 for a disc, 1 for a rectangle
    rim: FloatArray  # (k, 2) m, the outermost points

    @property
    def width(self) -> float:
        """The shorter side, m."""
        return float(self.sides[1])

    @property
    def long(self) -> bool:
        """Whether it is too long for one object seen whole."""
        return bool(self.sides[0] > LONG * self.sides[1])


def measure_outline(ground: FloatArray, widening: float) -> Outline:
    """Return the outline of points on the ground (2, n), its box made wider by `widening` m.

    The outermost points in 64 directions stand for the convex hull: they lie inside it by less than 0.2 %.
    """
    along = _DIRECTIONS @ ground
    rim = ground[:, np.concatenate([along.argmax(axis=1), along.argmin(axis=1)])].T
    hull = cv2.convexHull(rim.astype(np.float32))
    (x, y), (a, b), degrees = cv2.minAreaRect(hull)
    yaw, sides = np.radians(degrees), np.array([a, b])
    if b > a:
        yaw, sides = yaw + np.pi / 2, sides[::-1]
    fill = cv2.contourArea(hull) / max(a * b, 1e-9)
    return Outline(np.array([x, y]), sides + widening, float(yaw), fill, rim)


def fit_circle(outline: Outline, widening: float) -> Outline:
    """Return the outline as the circle that fits its rim best, which a hidden part does not move.

    A rim too short to say where its centre is stays as it is.
    """
    circle = fit_ball(outline.rim.T)
    off = np.linalg.norm(circle.centre - outline.centre)
    if off > 0.5 * outline.sides.max() or circle.radius > outline.sides.max():
        return outline
    return replace(outline, centre=circle.centre, sides=np.full(2, 2 * circle.radius + widening))


def circle_error(outline: Outline) -> float:
    """Return how far the rim is from the circle that fits it best, m, root mean square."""
    circle = fit_ball(outline.rim.T)
    off = np.linalg.norm(outline.rim - circle.centre, axis=1) - circle.radius
    return float(np.sqrt((off**2).mean()))
