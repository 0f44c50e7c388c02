"""Dividing what hangs together but is two objects of one colour that touch."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_perception.fitting import fit_ball
from sinew_perception.outline import measure_outline
from sinew_perception.views import Indices

TOP_FACE = 0.004  # m below the highest point
MIN_FACE = 24  # points
MAX_FACE = 200  # points that cuts are tried on
ELONGATED = 1.8  # ratio of variances; 2.25 belongs to a rectangle half as long again as wide
SQUARE_FILL = 0.93  # of its box, at least
ROUND_ERROR = 0.0008  # m, root mean square, at most
ANGLES = np.arange(12) * np.pi / 12
SHARES = (0.35, 0.42, 0.5, 0.58, 0.65)  # of the points on one side of a cut


def divide(points: FloatArray, members: Indices) -> list[Indices]:
    """Return the members of two objects that touch, or all of them if they are one.

    A long top of one height that a straight cut divides into two squares or discs belongs to two objects.
    `points` are (3, n).
    """
    heights = points[2, members]
    top = np.sort(heights)[round(0.98 * (len(members) - 1))]
    face = points[:2, members[heights > top - TOP_FACE]]
    if face.shape[1] < MIN_FACE or not _elongated(face):
        return [members]
    if not measure_outline(face, 0.0).long:
        return [members]
    normal, offset = _best_cut(face[:, :: -(-face.shape[1] // MAX_FACE)])
    beyond = normal @ face > offset
    if not (_clean(face[:, beyond]) and _clean(face[:, ~beyond])):
        return [members]
    beyond = normal @ points[:2, members] > offset
    return [members[beyond], members[~beyond]]


def _best_cut(face: FloatArray) -> tuple[FloatArray, float]:
    """Return the normal (2,) and the offset of the cut whose two sides fit into the smallest squares."""
    best: tuple[float, FloatArray, float] = (np.inf, np.zeros(2), 0.0)
    for angle in ANGLES:
        normal = np.array([np.cos(angle), np.sin(angle)])
        along = normal @ face
        for share, offset in zip(SHARES, np.quantile(along, SHARES), strict=True):
            squares = _square(face[:, along > offset]) + _square(face[:, along <= offset])
            score = squares * (1 + 0.1 * abs(share - 0.5))
            if score < best[0]:
                best = (score, normal, float(offset))
    return best[1], best[2]


def _square(ground: FloatArray) -> float:
    """Return the area of the square that holds the smallest box around points (2, n)."""
    _, (a, b), _ = cv2.minAreaRect(ground.T.astype(np.float32))
    return float(max(a, b) ** 2)


def _elongated(ground: FloatArray) -> bool:
    """A quick test that spares round and square things the rest."""
    local = ground - ground.mean(axis=1, keepdims=True)
    (a, b), (_, d) = local @ local.T
    spread = np.hypot((a - d) / 2, b)
    return bool((a + d) / 2 + spread > ELONGATED * ((a + d) / 2 - spread))


def _clean(ground: FloatArray) -> bool:
    """Whether points (2, n) are a square or a disc."""
    outline = measure_outline(ground, 0.0)
    if outline.long:
        return False
    circle = fit_ball(outline.rim.T)
    off: npt.NDArray[np.float64] = np.linalg.norm(outline.rim - circle.centre, axis=1) - circle.radius
    return outline.fill > SQUARE_FILL or float(np.sqrt((off**2).mean())) < ROUND_ERROR
