"""Whether views of a board can tell a lens: where in the picture its corners were, and how it was tilted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.types import FloatArray

from sinew_hardware.calibration.board import Corners
from sinew_hardware.calibration.lens import board_pose

GRID = (4, 6)  # rows and columns of the picture's cells
ROWS, COLUMNS = ("top", "", "bottom"), ("left", "middle", "right")


def corner_counts(views: Sequence[Corners], size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return how many corners fell into each cell (4, 6) of a picture of `size` (width, height)."""
    pixels = np.concatenate([view.pixels for view in views]) if views else np.zeros((0, 2))
    width, height = size
    edges = [np.linspace(0, side, n + 1) - 0.5 for side, n in ((height, GRID[0]), (width, GRID[1]))]
    counts, _, _ = np.histogram2d(pixels[:, 1], pixels[:, 0], bins=edges)
    whole: npt.NDArray[np.int64] = counts.astype(np.int64)
    return whole


def coverage(counts: npt.NDArray[np.int64]) -> float:
    """Return the share of the cells that a corner was seen in."""
    return float(np.count_nonzero(counts) / counts.size)


def where_empty(counts: npt.NDArray[np.int64]) -> str:
    """Return in words which of the picture's nine parts hold the most empty cells."""
    thirds: list[tuple[float, str]] = []
    for i, row in enumerate(ROWS):
        for j, column in enumerate(COLUMNS):
            cells = np.array_split(np.array_split(counts, 3, axis=0)[i], 3, axis=1)[j]
            name = f"{row} {column}".strip() if row or column != "middle" else "centre"
            thirds.append((float(np.mean(cells == 0)), name))
    worst = max(share for share, _ in thirds)
    return ", ".join(name for share, name in thirds if share == worst and worst > 0)


def tilts(views: Sequence[Corners], lens: IntrinsicsConfig) -> FloatArray:
    """Return the tilt (k, 2) of each view in rad: the board's normal against the line of sight.

    As a vector in the picture: a board leaning away from a frontal view by its top, or by its side,
    differs in direction.
    """
    normals = []
    for view in views:
        X = board_pose(lens, view)
        normal = X[:3, 2]
        angle = np.arccos(np.clip(normal[2], -1, 1))
        across = float(np.hypot(normal[0], normal[1]))
        normals.append(normal[:2] / max(across, 1e-12) * angle)
    return np.array(normals).reshape(-1, 2)


def tilt_spread(tilt: FloatArray) -> float:
    """Return how far apart, in rad, the tilts (k, 2) reach along the direction in which they vary least.

    A lens' focal length shows only in boards that are tilted differently: half of this is the tilt to
    either side.
    """
    centred = tilt - tilt.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][-1]
    along = centred @ axis
    return float(along.max() - along.min())
