"""Which frames of one demonstration match those of another, by dynamic time warping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

Frames = npt.NDArray[np.int64]


def aligned(pattern: FloatArray, other: FloatArray, frames: Frames) -> Frames:
    """Return the frames (g,) of `other` (U, d) that match the rising `frames` (g,) of `pattern` (T, d).

    Both go from beginning to end (Sakoe and Chiba 1978); of several frames that match, the middle one.
    """
    path = _path(np.linalg.norm(pattern[:, None] - other, axis=2))
    return np.array([int(np.median(path[path[:, 0] == frame, 1])) for frame in frames], np.int64)


def _path(costs: FloatArray) -> Frames:
    """Return the cheapest path (n, 2) through costs (T, U), from the last cell back to the first."""
    total = np.full((costs.shape[0] + 1, costs.shape[1] + 1), np.inf)
    total[0, 0] = 0.0
    for i, row in enumerate(costs):
        for j, cost in enumerate(row):
            total[i + 1, j + 1] = cost + min(total[i, j], total[i, j + 1], total[i + 1, j])
    i, j = costs.shape
    path = [(i - 1, j - 1)]
    while (i, j) != (1, 1):
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: total[cell])
        path.append((i - 1, j - 1))
    return np.array(path, np.int64)
