"""Least-squares circles, spheres and upright boxes through points on a surface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sinew_core.types import FloatArray


class Ball(NamedTuple):
    """A circle (d = 2) or a sphere (d = 3)."""

    centre: FloatArray  # (d,)
    radius: float  # very large, or inf, where the points lie on a line or a plane


def fit_ball(points: FloatArray) -> Ball:
    """Fit a circle or a sphere to points (d, n), after Kasa (1976)."""
    origin = points.mean(axis=1)
    local = points - origin[:, None]
    scale = max(float(np.abs(local).max()), 1e-9)
    A = np.vstack([2 * local, np.full((1, local.shape[1]), scale)])
    try:
        solution = np.linalg.solve(A @ A.T, A @ (local**2).sum(axis=0))
    except np.linalg.LinAlgError:
        return Ball(origin, np.inf)
    centre = solution[:-1]
    return Ball(origin + centre, float(np.sqrt(max(solution[-1] * scale + centre @ centre, 0.0))))


class Corner(NamedTuple):
    """The walls of an upright box, as far as they are seen."""

    yaw: float  # rad
    lower: FloatArray  # (2,) m, along and across the yaw axis
    upper: FloatArray  # (2,) m
    error: float  # m, root mean square of the distances from the points to the nearest wall


def fit_walls(ground: FloatArray) -> Corner:
    """Fit upright walls at right angles to points on the ground (2, n): the best of 30 directions."""
    angles = np.arange(30) * np.pi / 60
    c, s = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = ground
    turned = np.stack([c * x + s * y, c * y - s * x])  # (2, 30, n)
    upper, lower = np.percentile(turned, (98, 2), axis=2)  # each (2, 30)
    inwards = np.minimum(np.abs(upper[..., None] - turned), np.abs(turned - lower[..., None]))
    errors = np.sqrt((inwards.min(axis=0) ** 2).mean(axis=1))
    best = int(errors.argmin())
    return Corner(float(angles[best]), lower[:, best], upper[:, best], float(errors[best]))
