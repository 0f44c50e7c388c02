"""How far an object has moved between two pictures, by points followed with Lucas-Kanade optical flow."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.tracking.eyes import Eye
from sinew_perception.tracking.surface import TOLERANCE, Surface

MARGIN = 20  # px around the object, in which it is looked for
FOLLOWED = 24  # points of each camera at most
RETURN = 0.7  # px; a point followed forth and back must end nearer to its start than this
AGREE = 0.004  # m between the motion of a point and that of the whole
LEAST = 4  # points that must agree, and half of all


def follow(
    before: Mapping[str, Eye],
    now: Mapping[str, Eye],
    surface: Surface,
    position: FloatArray,
    rotation: FloatArray,
) -> FloatArray | None:
    """Return the motion (3,) m of the object whose surface was at `position` before, or None.

    None where fewer than LEAST points, or fewer than half, agree on one.
    """
    ways = [
        _follow_one(before[name], now[name], patch.points @ rotation.T + position)
        for name, patch in surface.items()
        if name in before and name in now
    ]
    moved = np.concatenate(ways) if ways else np.empty((0, 3))
    if len(moved) < LEAST:
        return None
    middle = np.median(moved, axis=0)
    agree = np.linalg.norm(moved - middle, axis=1) < AGREE
    if agree.sum() < max(LEAST, len(moved) / 2):
        return None
    way: FloatArray = moved[agree].mean(axis=0)
    return way


def _follow_one(before: Eye, now: Eye, points: FloatArray) -> FloatArray:
    """Return the motions (k, 3) m of those points (n, 3) that can be followed."""
    pixels, far = before.project(points)
    rows, columns, inside = before.look_up(pixels)
    shown = inside & (np.abs(before.depth[rows, columns] - far) < TOLERANCE)
    rows, columns = rows[shown], columns[shown]
    if len(rows) < LEAST:
        return np.empty((0, 3))
    size = np.array([before.model.width, before.model.height])
    low = np.maximum(np.array([columns.min(), rows.min()]) - MARGIN, 0)
    high = np.minimum(np.array([columns.max(), rows.max()]) + MARGIN + 1, size)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    first, second = (
        cv2.cvtColor(np.ascontiguousarray(eye.rgb[window]), cv2.COLOR_RGB2GRAY) for eye in (before, now)
    )
    mask = np.zeros(first.shape, np.uint8)
    mask[rows - low[1], columns - low[0]] = 255
    corners = cv2.goodFeaturesToTrack(
        first, FOLLOWED, 0.02, 2, mask=cv2.dilate(mask, np.ones((3, 3), np.uint8))
    )
    if corners is None:
        return np.empty((0, 3))
    ends, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, None, winSize=(11, 11), maxLevel=2)
    starts, back, _ = cv2.calcOpticalFlowPyrLK(second, first, ends, None, winSize=(11, 11), maxLevel=2)
    close = np.linalg.norm(starts - corners, axis=2).ravel() < RETURN
    kept = close & (found.ravel() == 1) & (back.ravel() == 1)
    old, new = ((c.reshape(-1, 2)[kept] + low).astype(np.float64) for c in (corners, ends))
    return _motions(before, now, old, new, points)


def _motions(before: Eye, now: Eye, old: FloatArray, new: FloatArray, points: FloatArray) -> FloatArray:
    """Lift both ends (k, 2) px with depth; what did not start on the object is left out."""
    ends = []
    for eye, pixels in ((before, old), (now, new)):
        rows, columns, inside = eye.look_up(pixels)
        depth = np.where(inside, eye.depth[rows, columns], 0.0).astype(np.float64)
        ends.append((eye.lift(pixels[:, 0], pixels[:, 1], depth), depth > 0))
    (starts, good), (stops, also) = ends
    on = np.linalg.norm(starts[:, None] - points[None], axis=2).min(axis=1, initial=np.inf) < 2 * TOLERANCE
    motions: FloatArray = (stops - starts)[good & also & on]
    return motions
