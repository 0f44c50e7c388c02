"""Shapes of small objects that are partly hidden: the cube, cylinder or sphere that fits what is seen.

An outline says little when half of it belongs to the gripper. The surface says more: two flat walls
meet at a right angle, a cylinder's wall is an arc, a sphere is round in every direction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.fitting import Corner, fit_ball, fit_walls

TOP_FACE = 0.003  # m below the highest point; what is lower is wall
MIN_WALL = 15  # points; fewer say nothing about the kind
MAX_RADIUS = 0.03  # m; a flatter wall is a cube's
MAX_CUBE = 0.045  # m; a wider one may be two that touch
MAX_ERROR = 0.0015  # m, root mean square
CLEARLY = 0.7  # the best fit must have less than this share of the error of the next
MAX_POINTS = 300


class Fit(NamedTuple):
    """A shape that fits, standing upright."""

    kind: str
    error: float  # m, root mean square
    centre: FloatArray  # (2,) m
    width: float  # m
    yaw: float | None  # rad


def fit_partial(points: FloatArray, eye: FloatArray, low: float, top: float) -> Fit | None:
    """Return the one shape that fits the points (3, n), or None where none does, or several.

    `low` and `top` (m) bound what is seen; `eye` (3,) is the camera that sees most of it.
    """
    points = points[:, :: -(-points.shape[1] // MAX_POINTS)]
    walls = points[:2, points[2] < top - TOP_FACE]
    if walls.shape[1] < MIN_WALL:
        return None
    tops = points[:2, points[2] >= top - TOP_FACE]
    fits = sorted(
        [_sphere(points), _cylinder(walls, tops), _cube(walls, tops, eye, top - low)],
        key=lambda fit: fit.error,
    )
    sure = fits[0].error < MAX_ERROR and fits[0].error < CLEARLY * fits[1].error
    return fits[0] if sure else None


def _sphere(points: FloatArray) -> Fit:
    ball = fit_ball(points)
    if ball.radius > MAX_RADIUS:
        return Fit("sphere", np.inf, ball.centre[:2], 2 * ball.radius, None)
    error = _rms(np.linalg.norm(points - ball.centre[:, None], axis=0) - ball.radius)
    return Fit("sphere", error, ball.centre[:2], 2 * ball.radius, None)


def _cylinder(walls: FloatArray, tops: FloatArray) -> Fit:
    circle = fit_ball(walls)
    if circle.radius > MAX_RADIUS:
        return Fit("cylinder", np.inf, circle.centre, 2 * circle.radius, None)
    off_wall = np.linalg.norm(walls - circle.centre[:, None], axis=0) - circle.radius
    outside = np.linalg.norm(tops - circle.centre[:, None], axis=0) - circle.radius
    error = _rms(np.concatenate([off_wall, np.maximum(outside, 0.0)]))
    return Fit("cylinder", error, circle.centre, 2 * circle.radius, None)


def _cube(walls: FloatArray, tops: FloatArray, eye: FloatArray, height: float) -> Fit:
    """Walls that meet at a right angle; a cube is as wide as its widest wall, behind the near ones."""
    corner = fit_walls(walls)
    c, s = np.cos(corner.yaw), np.sin(corner.yaw)
    R = np.array([[c, s], [-s, c]])  # from the base frame to the walls' directions
    if tops.shape[1]:
        corner = _widened(corner, R @ tops)
    lengths = corner.upper - corner.lower
    width = max(float(lengths.max()), height)
    near_upper = R @ eye[:2] > (corner.lower + corner.upper) / 2
    from_near = np.where(near_upper, corner.upper - width / 2, corner.lower + width / 2)
    middle = np.where(lengths < 0.5 * width, from_near, (corner.lower + corner.upper) / 2)
    error = corner.error if width < MAX_CUBE else np.inf
    return Fit("cube", error, R.T @ middle, width, corner.yaw)


def _widened(corner: Corner, tops: FloatArray) -> Corner:
    """Let the top face say how wide the walls are that are not seen."""
    return corner._replace(
        lower=np.minimum(corner.lower, np.percentile(tops, 2, axis=1)),
        upper=np.maximum(corner.upper, np.percentile(tops, 98, axis=1)),
    )


def _rms(distances: FloatArray) -> float:
    return float(np.sqrt((distances**2).mean()))
