"""What an arm's joints say of the corners that its camera sees: residuals, and what they depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_hardware.calibration.rotations import inverse, moved, skew

STEP = 1e-5  # rad or m, of the numerical derivative along a joint


@dataclass(frozen=True, slots=True)
class Links:
    """Which link carries the camera and which the board, and where they are at some joint positions."""

    X_LM: FloatArray  # (k, 4, 4) the board's link M in the camera's link L
    along: FloatArray  # (k, n, 4, 4) its derivative along each joint, per rad or m


@dataclass(frozen=True, slots=True)
class Mounting:
    """Two mountings that do not move: the camera in its link and the board in its own."""

    X_LC: FloatArray  # (4, 4) m
    X_MB: FloatArray  # (4, 4) m
    scale: float = 1.0  # of the board's points, where its printed size is in doubt

    def moved(self, step: FloatArray) -> Mounting:
        """Return both a little further: step (12,), or (13,) with the relative change of the scale."""
        grown = self.scale * (1 + step[12]) if len(step) > 12 else self.scale
        return Mounting(moved(self.X_LC, step[:6]), moved(self.X_MB, step[6:12]), grown)


@dataclass(frozen=True, slots=True)
class Linear:
    """The residuals of one view and their derivatives; px."""

    residual: FloatArray  # (2m,)
    by_mounting: FloatArray  # (2m, 13) per rad, m and relative scale
    by_joints: FloatArray  # (2m, n) per rad or m


def links(robot: Robot, camera_link: str, board_link: str, positions: FloatArray) -> Links:
    """Return where two links are to each other at joint positions (k, n); either may be the base link."""

    def between(q: FloatArray) -> FloatArray:
        return inverse(robot.chain.poses(camera_link, q)) @ robot.chain.poses(board_link, q)

    k, n = positions.shape
    steps = STEP * np.eye(n)
    ahead = between((positions[:, None] + steps).reshape(-1, n)).reshape(k, n, 4, 4)
    behind = between((positions[:, None] - steps).reshape(-1, n)).reshape(k, n, 4, 4)
    return Links(between(positions), (ahead - behind) / (2 * STEP))


def linearise(
    at: Mounting, X_LM: FloatArray, along: FloatArray, points: FloatArray, rays: FloatArray, focal: FloatArray
) -> Linear:
    """Return residuals and derivatives of a view: board points (m, 3), seen along rays (m, 2).

    `X_LM` (4, 4) and `along` (n, 4, 4) are of `Links`; `focal` (2,) turns rays into px.
    """
    X_CL = inverse(at.X_LC)
    X_CB = X_CL @ X_LM @ at.X_MB
    grown = at.scale * points
    p = grown @ X_CB[:3, :3].T + X_CB[:3, 3]  # (m, 3) in the camera
    flat = p[:, :2] / p[:, 2:]
    by_point = np.zeros((len(p), 2, 3))
    by_point[:, 0, 0] = by_point[:, 1, 1] = 1 / p[:, 2]
    by_point[:, :, 2] = -flat / p[:, 2:]
    by_point *= focal[:, None]
    turned = X_CB[:3, :3] @ np.concatenate([-skew(grown), np.broadcast_to(np.eye(3), (len(p), 3, 3))], axis=2)
    size = (grown @ X_CB[:3, :3].T)[:, :, None]
    camera = np.concatenate([skew(p), np.broadcast_to(-np.eye(3), (len(p), 3, 3))], axis=2)
    of_mounting = np.concatenate([camera, turned, size], axis=2)  # (m, 3, 13)
    homogeneous = np.column_stack([grown, np.ones(len(p))])
    of_joints = np.einsum("jab,mb->maj", (X_CL @ along @ at.X_MB)[:, :3], homogeneous)
    return Linear(
        ((flat - rays) * focal).ravel(),
        (by_point @ of_mounting).reshape(-1, 13),
        (by_point @ of_joints).reshape(-1, along.shape[0]),
    )


def covariance(linear: Linear, joint_noise: FloatArray, pixel_noise: float) -> FloatArray:
    """Return the covariance (2m, 2m) of a view's residuals: each corner's own, and the joints' in common."""
    common = linear.by_joints * joint_noise
    return common @ common.T + pixel_noise**2 * np.eye(len(common))


def information(linears: Sequence[Linear], joint_noise: FloatArray, pixel_noise: float) -> FloatArray:
    """Return what views (k) tell of the two mountings: their information matrices (k, 12, 12)."""
    return np.array(
        [
            v.by_mounting[:, :12].T
            @ np.linalg.solve(covariance(v, joint_noise, pixel_noise), v.by_mounting[:, :12])
            for v in linears
        ]
    )
