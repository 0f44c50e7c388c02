"""A lens at work: its matrix, undistorted rays, projections, and the pose of a board in its camera."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.kinematics import transform
from sinew_core.types import CameraModel, FloatArray

from sinew_hardware.calibration.board import Corners


def lens_of(camera: CameraModel) -> IntrinsicsConfig:
    """Return the lens of a camera model: what its driver delivers, so without distortion."""
    return IntrinsicsConfig(camera.fx, camera.fy, camera.cx, camera.cy)


def matrix(lens: IntrinsicsConfig) -> FloatArray:
    """Return the intrinsic matrix (3, 3), in px."""
    return np.array([[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]])


def coefficients(lens: IntrinsicsConfig) -> FloatArray:
    """Return the distortion coefficients, at least 4, as OpenCV orders them."""
    return np.array(lens.distortion or (0.0,) * 4)


def rays(lens: IntrinsicsConfig, pixels: FloatArray) -> FloatArray:
    """Return the undistorted directions (m, 2) at z = 1 of pixels (m, 2)."""
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-9)
    flat = cv2.undistortPoints(pixels.reshape(-1, 1, 2), matrix(lens), coefficients(lens), criteria=stop)
    return np.asarray(flat, dtype=np.float64).reshape(-1, 2)


def project(lens: IntrinsicsConfig, X_CB: FloatArray, points: FloatArray) -> FloatArray:
    """Return the pixels (m, 2) of points (m, 3), given in the frame of the board, m."""
    turn = cv2.Rodrigues(X_CB[:3, :3])[0]
    pixels = cv2.projectPoints(points, turn, X_CB[:3, 3], matrix(lens), coefficients(lens))[0]
    return np.asarray(pixels, dtype=np.float64).reshape(-1, 2)


def board_poses(lens: IntrinsicsConfig, corners: Corners) -> list[FloatArray]:
    """Return the poses `X_CB` (4, 4) that a flat board may have, the better fitting one first.

    A small or distant board seen nearly face on has two that fit about alike; usually only one does.
    """
    flat = rays(lens, corners.pixels)
    middle = corners.points.mean(axis=0)  # the solver wants its points about the origin
    near = corners.points - middle
    _, turns, shifts, _ = cv2.solvePnPGeneric(near, flat, np.eye(3), None, flags=cv2.SOLVEPNP_IPPE)
    poses = []
    for turn, shift in zip(turns, shifts, strict=True):
        w, t = cv2.solvePnPRefineLM(near, flat, np.eye(3), None, turn.copy(), shift.copy())
        R = np.asarray(cv2.Rodrigues(w)[0], dtype=np.float64)
        poses.append(transform(np.ravel(t) - R @ middle, R))
    return sorted(poses, key=lambda X: misfit(lens, X, corners))


def board_pose(lens: IntrinsicsConfig, corners: Corners) -> FloatArray:
    """Return the pose `X_CB` (4, 4) of a board, of at least 4 corners not in one line."""
    return board_poses(lens, corners)[0]


def misfit(lens: IntrinsicsConfig, X_CB: FloatArray, corners: Corners) -> float:
    """Return the root mean square distance of the corners from where the pose puts them, in px."""
    gap = project(lens, X_CB, corners.points) - corners.pixels
    return float(np.sqrt((gap**2).sum(axis=1).mean()))
