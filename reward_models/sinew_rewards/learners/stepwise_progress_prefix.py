"""What is known at a step of an episode: what is seen now, what just changed, and what was seen before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.types import FloatArray


class Prefix:
    """Takes one row after the other; what was seen before fades, once for each memory (steps)."""

    def __init__(self, memory: Sequence[int]) -> None:
        self._keep = np.exp(-1 / np.asarray(memory, np.float64))[:, None]
        self._last: FloatArray | None = None
        self._faded: FloatArray = np.zeros((0, 0))

    def step(self, features: FloatArray) -> FloatArray:
        """Return what is known (d * (2 + memories),) at the next row (d,): it, its change, what faded."""
        row = np.asarray(features, np.float64)
        if self._last is None:
            self._last, self._faded = row, np.repeat(row[None], len(self._keep), 0)
        known = np.concatenate([row, row - self._last, (row - self._faded).ravel()])
        self._last = row.copy()
        self._faded = self._keep * self._faded + (1 - self._keep) * row
        return known


def prefixes(features: FloatArray, memory: Sequence[int]) -> FloatArray:
    """Return what is known at each row of an episode (T, d), as (T, d * (2 + memories))."""
    prefix = Prefix(memory)
    return np.stack([prefix.step(row) for row in features])
