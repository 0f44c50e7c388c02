"""The likeliest mounting: one weighted least-squares fit over every corner, where joints err, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

from sinew_hardware.calibration.arm_camera import Linear, Mounting, covariance, linearise

ROUNDS = 60
STILL = 1e-9  # rad, m: a step below this ends the fit


@dataclass(frozen=True, slots=True)
class View:
    """One picture of the board, with where the arm says it was."""

    X_LM: FloatArray  # (4, 4) of `Links`
    along: FloatArray  # (n, 4, 4) of `Links`
    points: FloatArray  # (m, 3) m, board
    rays: FloatArray  # (m, 2) undistorted


@dataclass(frozen=True, slots=True)
class Noise:
    """What joints and corners err by; standard deviations."""

    joints: FloatArray  # (n,) rad or m
    pixels: float  # px, along each axis
    focal: FloatArray  # (2,) px

    def louder(self, factor: float) -> Noise:
        """Return the same with joints that err `factor` times as much."""
        return Noise(self.joints * factor, self.pixels, self.focal)


@dataclass(frozen=True, slots=True)
class Fit:
    """A mounting with its covariance (12, 12), or (13, 13) with the scale free; rad and m."""

    mounting: Mounting
    covariance: FloatArray


def linear_at(mounting: Mounting, view: View, noise: Noise) -> Linear:
    """Return a view's residuals and derivatives at a mounting."""
    return linearise(mounting, view.X_LM, view.along, view.points, view.rays, noise.focal)


def fit_mounting(start: Mounting, views: Sequence[View], noise: Noise, scale: bool = False) -> Fit:
    """Return the mounting that makes all corners likeliest; with `scale`, the board's size is free.

    Levenberg and Marquardt's steps; the weights follow the mounting. Every view's residuals have the
    errors of its joints in common, so a view counts by what it can tell, not by how many corners it has.
    """
    mounting, damping = start, 1e-3
    for _ in range(ROUNDS):
        weights = [_whitening(mounting, view, noise) for view in views]
        H, gradient, cost = _normal(mounting, views, weights, noise, 13 if scale else 12)
        while True:
            step = np.asarray(np.linalg.solve(H + damping * np.diag(np.diag(H)), -gradient), dtype=np.float64)
            small = bool(np.abs(step).max() < STILL)
            tried = mounting.moved(step)
            if small or _cost(tried, views, weights, noise) <= cost:
                break
            damping *= 10
        mounting, damping = tried, max(damping / 10, 1e-12)
        if small:
            return Fit(mounting, np.asarray(np.linalg.inv(H), dtype=np.float64))
    raise ConfigError(
        "The views do not agree on any mounting of the camera: check that the board did not move, that the "
        "links carrying camera and board are the right ones, and that the joints are calibrated."
    )


def joint_misfit(mounting: Mounting, view: View, noise: Noise) -> float:
    """Return how far a view is off in what the joints can explain, in units of their standard deviation."""
    linear = linear_at(mounting, view, noise)
    moving = linear.by_joints[:, np.abs(linear.by_joints).max(axis=0) > 1e-6]
    Q = np.linalg.qr(moving)[0]
    C = Q.T @ covariance(linear, noise.joints, noise.pixels) @ Q
    r = Q.T @ linear.residual
    return float(np.sqrt(r @ np.linalg.solve(C, r) / len(r)))


def _whitening(mounting: Mounting, view: View, noise: Noise) -> FloatArray:
    """Return what turns a view's residuals into independent ones of variance 1: (2m, 2m)."""
    C = covariance(linear_at(mounting, view, noise), noise.joints, noise.pixels)
    W: FloatArray = np.linalg.inv(np.linalg.cholesky(C))
    return W


def _normal(
    mounting: Mounting, views: Sequence[View], weights: Sequence[FloatArray], noise: Noise, size: int
) -> tuple[FloatArray, FloatArray, float]:
    """Return the normal equations (size, size) and (size,), and the cost."""
    H, gradient, cost = np.zeros((size, size)), np.zeros(size), 0.0
    for view, W in zip(views, weights, strict=True):
        linear = linear_at(mounting, view, noise)
        J, r = W @ linear.by_mounting[:, :size], W @ linear.residual
        H, gradient, cost = H + J.T @ J, gradient + J.T @ r, cost + float(r @ r)
    return H, gradient, cost


def _cost(mounting: Mounting, views: Sequence[View], weights: Sequence[FloatArray], noise: Noise) -> float:
    residuals = [linear_at(mounting, view, noise).residual for view in views]
    return sum(float(((W @ r) ** 2).sum()) for W, r in zip(weights, residuals, strict=True))
