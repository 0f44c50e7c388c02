"""Candidate points on objects: the middle of each one's mask, and far-apart points of its contour.

After MOKA (Liu et al. 2024): farthest-point sampling over the contour, the centre first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from sinew_core.types import DepthArray, FloatArray, Keypoint

from sinew_perception.geometry import (
    Mask,
    PosedCamera,
    lift,
    meet_height,
    object_mask,
    project,
)
from sinew_perception.waypoints import top

INSET = 1  # px that contour points lie inside the mask, where depth is the object's own
ALIKE = 0.85  # of the largest distance; what is farther counts as equally far
NEIGHBOURHOOD = 3  # px around a hole in the depth, from which it is filled


@dataclass(frozen=True, slots=True)
class Candidate:
    """A marked point on an object."""

    label: str  # P1, P2, ...
    object: str  # the keypoint's name, which the mark does not tell
    pixel: FloatArray  # (2,) px
    point: FloatArray  # (3,) m, base frame


def find_candidates(
    camera: PosedCamera, depth: DepthArray | None, keypoints: Mapping[str, Keypoint], count: int
) -> tuple[Candidate, ...]:
    """Return up to `count` candidates for each object that is within the image, from left to right.

    An object that something hides from this camera gets one, in the middle of where its top is.
    """
    found = []
    for name, keypoint in keypoints.items():
        mask = object_mask(camera, depth, keypoint)
        pixels = sample_mask(mask, count) if mask.any() else _hidden(camera, keypoint)
        if len(pixels):
            found.append((name, pixels, _points(camera, depth, mask, pixels, keypoint)))
    found.sort(key=lambda item: (float(item[1][0, 0]), float(item[1][0, 1])))
    each = [(name, *pair) for name, pixels, points in found for pair in zip(pixels, points, strict=True)]
    return tuple(Candidate(f"P{i + 1}", *item) for i, item in enumerate(each))


def sample_mask(mask: Mask, count: int) -> FloatArray:
    """Return the pixel of a mask (h, w) nearest to its middle and far-apart ones of its contour, (k, 2).

    The first is the middle; k is `count`, or less where the mask has fewer pixels.
    """
    rows, columns = np.nonzero(mask)
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)
    middle = pixels[np.argmin(np.linalg.norm(pixels - pixels.mean(axis=0), axis=1))]
    contour = _contour(mask)
    chosen = [middle]
    from_middle = np.linalg.norm(contour - middle, axis=1)
    from_others = np.full(len(contour), np.inf)
    while len(chosen) < count:
        distance = np.minimum(from_middle, from_others)
        if distance.max() == 0:
            break
        # Around a disc nearly all are equally far from its middle: take those far from one another.
        spread = np.where(distance >= ALIKE * distance.max(), np.minimum(from_others, 1e6) + distance, -1.0)
        chosen.append(contour[np.argmax(spread)])
        from_others = np.minimum(from_others, np.linalg.norm(contour - chosen[-1], axis=1))
    return np.array(chosen)


def _contour(mask: Mask) -> FloatArray:
    """Return the pixels (k, 2) along the outer edge of a mask's largest part."""
    image = mask.astype(np.uint8)
    smaller = cv2.erode(image, np.ones((2 * INSET + 1,) * 2, np.uint8))
    contours, _ = cv2.findContours(
        smaller if smaller.any() else image, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return np.array(max(contours, key=len), dtype=np.float64).reshape(-1, 2)


def _hidden(camera: PosedCamera, keypoint: Keypoint) -> FloatArray:
    """Return the pixel (1, 2) of the middle of an object's top, or none (0, 2) if it is not in the image."""
    pixel: FloatArray = np.rint(project(camera, np.array([[*keypoint.position[:2], top(keypoint)]])))
    inside = bool((pixel >= 0).all() and (pixel < [camera.model.width, camera.model.height]).all())
    return pixel if inside else np.empty((0, 2))


def _points(
    camera: PosedCamera, depth: DepthArray | None, mask: Mask, pixels: FloatArray, keypoint: Keypoint
) -> FloatArray:
    """Return the points (k, 3) at pixels: by depth, by that of the surroundings, or at the object's top."""
    points = meet_height(camera, pixels, top(keypoint))
    if depth is None or not mask.any():
        return points
    far = np.array([_depth_near(depth, mask, pixel) for pixel in pixels.astype(int)])
    known = far > 0
    points[known] = lift(camera, pixels[known], far[known])
    return points


def _depth_near(depth: DepthArray, mask: Mask, pixel: FloatArray) -> float:
    """Return the depth at a pixel, m, or the median of what the mask has around it; 0 for none."""
    column, row = pixel
    if depth[row, column] > 0:
        return float(depth[row, column])
    window = (
        slice(max(row - NEIGHBOURHOOD, 0), row + NEIGHBOURHOOD + 1),
        slice(max(column - NEIGHBOURHOOD, 0), column + NEIGHBOURHOOD + 1),
    )
    around = depth[window][mask[window] & (depth[window] > 0)]
    return float(np.median(around)) if len(around) else 0.0
