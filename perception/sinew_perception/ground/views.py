"""What the network looks at: an image of fixed size, and heights above the table from depth."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import CameraFrame, CameraModel, DepthArray, FloatArray, ImageArray

WIDTH, HEIGHT = 320, 240  # px, of the network's images
STRIDE = 4  # px a cell of the heat maps
ROWS, COLUMNS = HEIGHT // STRIDE, WIDTH // STRIDE
LOWEST = -13  # mm, that the value 1 of a height image stands for; one more for each mm, 0 for no depth


def height_image(depth: DepthArray, camera: CameraModel, X_BC: FloatArray) -> ImageArray:
    """Return heights above the table (h, w) as bytes: 0 where there is no depth, else mm from LOWEST on."""
    h, w = depth.shape
    right = ((np.arange(w) - camera.cx) / camera.fx).astype(np.float32)
    down = ((np.arange(h) - camera.cy) / camera.fy).astype(np.float32)
    x, y, z = X_BC[2, :3].astype(np.float32)
    heights = 1000 * (depth * np.add.outer(y * down + z, x * right) + np.float32(X_BC[2, 3]))
    coded = np.clip(np.rint(heights) - LOWEST + 1, 1, 255)
    return np.where(depth > 0, coded, 0).astype(np.uint8)


def resized(frame: CameraFrame, camera: CameraModel) -> tuple[ImageArray, DepthArray | None, CameraModel]:
    """Return image, depth and intrinsics at WIDTH x HEIGHT."""
    h, w = frame.rgb.shape[:2]
    if (w, h) == (WIDTH, HEIGHT):
        return frame.rgb, frame.depth, camera
    rgb = np.asarray(cv2.resize(frame.rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    depth = None
    if frame.depth is not None:
        nearest = cv2.resize(frame.depth, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        depth = np.asarray(nearest, np.float32)
    return rgb, depth, scaled(camera)


def scaled(camera: CameraModel) -> CameraModel:
    """Return the intrinsics of the same camera at WIDTH x HEIGHT; pixel centres lie at whole numbers."""
    sx, sy = WIDTH / camera.width, HEIGHT / camera.height
    return CameraModel(
        camera.name,
        WIDTH,
        HEIGHT,
        camera.fx * sx,
        camera.fy * sy,
        (camera.cx + 0.5) * sx - 0.5,
        (camera.cy + 0.5) * sy - 0.5,
        camera.link,
        camera.X_LC,
    )
