"""Cameras with a pose: points into pixels, pixels into points, objects into masks.

Pixels are (column, row), whole numbers being the pixels' centres; points are in the base frame, m.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.types import CameraModel, DepthArray, FloatArray, JointState, Keypoint

from sinew_perception.waypoints import extent

Mask = npt.NDArray[np.bool_]

NEAR = 0.01  # m in front of the camera, from which on it can see a point
AROUND = np.arange(16) * np.pi / 8  # rad, where a round object's outline is sampled


@dataclass(frozen=True, slots=True)
class PosedCamera:
    """A camera where it was when it took its image."""

    model: CameraModel
    X_BC: FloatArray  # (4, 4)


def posed_camera(hardware: Hardware, name: str, joints: JointState) -> PosedCamera:
    """Return a camera of the hardware file as the arm carries it."""
    model = hardware.cameras[name]
    return PosedCamera(model, hardware.robot.chain.pose(model.link, joints.position) @ model.X_LC)


def project(camera: PosedCamera, points: FloatArray) -> FloatArray:
    """Return the pixels (n, 2) of points (n, 3); nan for those not in front of the camera."""
    model, X_BC = camera.model, camera.X_BC
    x, y, z = ((points - X_BC[:3, 3]) @ X_BC[:3, :3]).T
    depth = np.where(z > NEAR, z, np.nan)
    return np.stack([model.fx * x / depth + model.cx, model.fy * y / depth + model.cy], axis=1)


def lift(camera: PosedCamera, pixels: FloatArray, depth: FloatArray) -> FloatArray:
    """Return the points (n, 3) at pixels (n, 2) with depth (n,) along the optical axis, m."""
    X_BC = camera.X_BC
    points: FloatArray = (_rays(camera.model, pixels) * depth[:, None]) @ X_BC[:3, :3].T + X_BC[:3, 3]
    return points


def meet_height(camera: PosedCamera, pixels: FloatArray, height: float) -> FloatArray:
    """Return where the rays of pixels (n, 2) are at a height, (n, 3); nan for those that never are."""
    ways = _rays(camera.model, pixels) @ camera.X_BC[:3, :3].T
    eye = camera.X_BC[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (height - eye[2]) / ways[:, 2]
    far = np.where(np.isfinite(far) & (far > NEAR), far, np.nan)
    points: FloatArray = eye + ways * far[:, None]
    points[:, 2] = np.where(np.isnan(far), np.nan, height)
    return points


def object_mask(
    camera: PosedCamera, depth: DepthArray | None, keypoint: Keypoint, enlarge: float = 0.002
) -> Mask:
    """Return the pixels (h, w) that show an object: those whose point lies in its box, enlarged by some m.

    Where there is no depth, the projected box decides. An object behind the camera shows nowhere.
    """
    shape = (camera.model.height, camera.model.width)
    hull = _projected_hull(camera, keypoint, enlarge)
    if depth is None or not hull.any():
        return hull
    mask = np.zeros(shape, dtype=np.bool_)
    rows, columns = np.nonzero(hull)
    far = depth[rows, columns].astype(np.float64)
    points = lift(camera, np.stack([columns, rows], axis=1).astype(np.float64), far)
    mask[rows, columns] = (far == 0) | in_box(keypoint, points, enlarge)
    return mask


def in_box(keypoint: Keypoint, points: FloatArray, enlarge: float = 0.002) -> Mask:
    """Return which points (n, 3) lie in an object's upright box or, if it is round, in its cylinder.

    The box is enlarged by some m to the sides and upwards. Of an object that stands on the table, the
    lowest 2 mm are left out: there the table's points would get in, too.
    """
    along, across, up = extent(keypoint)
    offset = points - keypoint.position
    flat = up < 2 * enlarge
    low = -up / 2 - enlarge if flat else -up / 2 + 0.002
    height = (offset[:, 2] > low) & (offset[:, 2] < up / 2 + enlarge)
    if keypoint.yaw is None:
        beside = np.hypot(offset[:, 0], offset[:, 1]) < max(along, across) / 2 + enlarge
    else:
        c, s = np.cos(keypoint.yaw), np.sin(keypoint.yaw)
        x, y = offset[:, 0] * c + offset[:, 1] * s, offset[:, 1] * c - offset[:, 0] * s
        beside = (abs(x) < along / 2 + enlarge) & (abs(y) < across / 2 + enlarge)
    inside: Mask = height & beside
    return inside


def outline_points(keypoint: Keypoint, enlarge: float = 0.0) -> FloatArray:
    """Return the corners of an object's box, or points around both ends of its cylinder, (n, 3)."""
    along, across, up = extent(keypoint) / 2
    if keypoint.yaw is None:
        ring = np.stack([np.cos(AROUND), np.sin(AROUND)], axis=1) * (max(along, across) + enlarge)
    else:
        c, s = np.cos(keypoint.yaw), np.sin(keypoint.yaw)
        signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        ring = signs * (np.array([along, across]) + enlarge) @ np.array([[c, s], [-s, c]])
    ends = [np.column_stack([ring, np.full(len(ring), z)]) for z in (-up, up)]
    return np.vstack(ends) + keypoint.position


def _projected_hull(camera: PosedCamera, keypoint: Keypoint, enlarge: float) -> Mask:
    image = np.zeros((camera.model.height, camera.model.width), dtype=np.uint8)
    pixels = project(camera, outline_points(keypoint, enlarge))
    if np.isfinite(pixels).all():
        corners = cv2.convexHull(np.rint(np.clip(pixels, -1e4, 1e4)).astype(np.int32))
        cv2.fillConvexPoly(image, corners, 1)
    return image.astype(np.bool_)


def _rays(model: CameraModel, pixels: FloatArray) -> FloatArray:
    """Return directions (n, 3) in the camera frame, at depth 1."""
    x, y = (pixels[:, 0] - model.cx) / model.fx, (pixels[:, 1] - model.cy) / model.fy
    return np.stack([x, y, np.ones_like(x)], axis=1)
