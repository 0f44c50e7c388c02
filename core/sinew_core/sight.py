"""Where a robot's links show in a camera's picture."""

from __future__ import annotations

import numpy as np

from sinew_core.robot import Robot
from sinew_core.types import CameraModel, FloatArray


def link_pixels(robot: Robot, camera: CameraModel, position: FloatArray) -> FloatArray:
    """Return the pixels (k, 2), column and row, of the links' origins at joint positions (n,).

    A link outside the picture is nan. What hides what is not looked at.
    """
    X_BC = robot.chain.pose(camera.link, position) @ camera.X_LC
    points = np.array([robot.chain.point(link, position) for link in robot.chain.links])
    x, y, z = ((points - X_BC[:3, 3]) @ X_BC[:3, :3]).T
    depth = np.where(z > 0, z, np.nan)
    pixels = np.stack([camera.fx * x / depth + camera.cx, camera.fy * y / depth + camera.cy], axis=-1)
    column, row = pixels.T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    pixels[~inside] = np.nan
    return pixels


def visible_motion(robot: Robot, camera: CameraModel, before: FloatArray, after: FloatArray) -> float:
    """Return by how many px a link moves that is in the picture at both joint positions (n,); 0 for none."""
    way = link_pixels(robot, camera, after) - link_pixels(robot, camera, before)
    return float(np.nan_to_num(np.hypot(way[:, 0], way[:, 1])).max(initial=0.0))
