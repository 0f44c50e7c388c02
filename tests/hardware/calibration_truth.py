"""Boards, lenses and corners of which the truth is known; corners without a picture, where one is no help."""

from __future__ import annotations

import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.types import FloatArray
from sinew_hardware.calibration.board import BoardConfig, Corners, charuco
from sinew_hardware.calibration.lens import project
from sinew_hardware.calibration.sightings import Sighting
from sinew_hardware.calibration.tag import TagConfig
from sinew_hardware.emulators.calibration_scene import Scene

SIZE = (640, 480)
LENS = IntrinsicsConfig(442.0, 440.0, 325.0, 236.0, (-0.2, 0.06, 0.001, -0.0008, 0.0))
BOARD = BoardConfig()


def board_at(pixel: FloatArray, depth: float, roll: float, pitch: float, yaw: float) -> FloatArray:
    """Return X_CB (4, 4) with the board's middle at a depth in m along a pixel's ray, but for distortion."""
    R = rpy_matrix(roll, pitch, yaw)
    ray = np.array([(pixel[0] - LENS.cx) / LENS.fx, (pixel[1] - LENS.cy) / LENS.fy, 1.0])
    return transform(depth * ray - R @ BOARD.outline().mean(axis=0), R)


def points_of(target: BoardConfig | TagConfig) -> FloatArray:
    if isinstance(target, TagConfig):
        return target.outline()
    return np.asarray(charuco(target).getChessboardCorners(), dtype=np.float64)


def corners_at(
    X_CB: FloatArray,
    rng: np.random.Generator,
    lens: IntrinsicsConfig = LENS,
    target: BoardConfig | TagConfig = BOARD,
    noise: float = 0.15,
) -> Corners:
    """Return the corners that lie in the picture, each with noise of so many px."""
    points = points_of(target)
    pixels = project(lens, X_CB, points) + rng.normal(0, noise, (len(points), 2))
    seen = ((pixels > 3) & (pixels < np.array(SIZE) - 4)).all(axis=1) & (
        (points @ X_CB[2, :3] + X_CB[2, 3]) > 0
    )
    return Corners(np.nonzero(seen)[0].astype(np.int32), pixels[seen], points[seen])


def lens_views(seed: int, count: int = 20, tilt: float = 0.7, spread: float = 0.4) -> list[Corners]:
    """Return views with the board tilted by up to so many rad, and so far off the middle."""
    rng = np.random.default_rng(seed)
    views: list[Corners] = []
    while len(views) < count:
        pixel = (0.5 + rng.uniform(-spread, spread, 2)) * SIZE
        X = board_at(pixel, rng.uniform(0.18, 0.35), *rng.uniform(-tilt, tilt, 2), rng.uniform(-0.4, 0.4))
        corners = corners_at(X, rng)
        if len(corners) >= 12:
            views.append(corners)
    return views


def sightings_at(scene: Scene, positions: FloatArray, noise: float = 0.15) -> list[Sighting]:
    """Return what a scene's camera sees at joint positions (k, n), where the joints err."""
    true = positions + scene.rng.normal(0, scene.joint_noise, positions.shape)
    return [
        Sighting(q, corners_at(scene.board_in_camera(t), scene.rng, scene.lens, scene.board, noise))
        for q, t in zip(positions, true, strict=True)
    ]
