"""Dividing what hangs together but is two objects of one colour that touch."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.outline import ROUND_ERROR, circle_error, measure_outline
from sinew_perception.views import Indices

TOP_FACE = 0.004  # m below the highest point
MIN_FACE = 24  # points
SEAM = 0.001  # m on either side of a cut, where points may belong to either
MAX_FACE = 200  # points that cuts are tried on
ELONGATED = 1.7  # ratio of variances; 2.25 belongs to a rectangle half as long again as wide
SQUARE_FILL = 0.91  # of its box, at least
ANGLES = np.arange(12) * np.pi / 12
FINE = np.arange(-6, 7) * 0.0005  # m around a cut that is nearly right
SHARES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)  # of the points on one side of a cut


def divide(points: FloatArray, members: Indices) -> list[Indices]:
    """Return the members of two objects that touch, less those at the seam, or all if they are one.

    A long top that a straight cut divides into two squares or discs belongs to two objects.
    `points` are (3, n).
    """
    if not _elongated(points[:2, members[:: 1 + len(members) // MAX_FACE]]):
        return [members]
    heights = points[2, members]
    top = np.sort(heights)[round(0.98 * (len(members) - 1))]
    face = points[:2, members[heights > top - TOP_FACE]]
    if face.shape[1] < MIN_FACE or not _elongated(face) or _clean(face):
        return [members]
    normal, offset = _best_cut(face)
    along = normal @ face - offset
    if not (_clean(face[:, along > SEAM]) and _clean(face[:, along < -SEAM])):
        return [members]
    along = normal @ points[:2, members] - offset
    return [members[along > SEAM], members[along < -SEAM]]


def _best_cut(face: FloatArray) -> tuple[FloatArray, float]:
    """Return the normal (2,) and the offset of the cut whose two sides fill their squares best."""
    few = face[:, :: 1 + face.shape[1] // MAX_FACE]
    cuts = [
        (normal, float(offset))
        for normal in np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
        for offset in np.quantile(normal @ few, SHARES)
    ]
    normal, rough = min(cuts, key=lambda cut: _cut_waste(few, cut[0], cut[1], SEAM))
    return normal, min(rough + FINE, key=lambda offset: _cut_waste(face, normal, offset, 0.0))


def _cut_waste(face: FloatArray, normal: FloatArray, offset: float, seam: float) -> float:
    along = normal @ face - offset
    sides = face[:, along > seam], face[:, along < -seam]
    return sum(_waste(side) if side.shape[1] else np.inf for side in sides)


def _waste(ground: FloatArray) -> float:
    """Return the area that points (2, n) leave free in the square that holds them."""
    hull = cv2.convexHull(ground.T.astype(np.float32))
    _, sides, _ = cv2.minAreaRect(hull)
    return float(max(sides) ** 2 - cv2.contourArea(hull))


def _elongated(ground: FloatArray) -> bool:
    """A quick test that spares round and square things the rest."""
    local = ground - ground.mean(axis=1, keepdims=True)
    (a, b), (_, d) = local @ local.T
    spread = np.hypot((a - d) / 2, b)
    return bool((a + d) / 2 + spread > ELONGATED * ((a + d) / 2 - spread))


def _clean(ground: FloatArray) -> bool:
    """Whether points (2, n) are a square or a disc."""
    if ground.shape[1] < MIN_FACE // 2:
        return False
    outline = measure_outline(ground, 0.0)
    if outline.long:
        return False
    return outline.fill > SQUARE_FILL or circle_error(outline) < ROUND_ERROR
