"""From what a stick or a cap reports to what a person means by it."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray


def dead_zone(values: FloatArray, width: float) -> FloatArray:
    """Return deflections in [-1, 1] with those below `width` at 0 and the rest spread over (0, 1]."""
    beyond = (np.abs(values) - width) / (1.0 - width)
    return np.sign(values) * np.clip(beyond, 0.0, 1.0)


def curved(values: FloatArray, exponent: float) -> FloatArray:
    """Return deflections in [-1, 1] with the middle made finer by a power."""
    shaped: FloatArray = np.sign(values) * np.abs(values) ** exponent
    return shaped


def shortened(vector: FloatArray, length: float) -> FloatArray:
    """Return a vector no longer than `length`, in its own direction."""
    norm = float(np.linalg.norm(vector))
    return vector.copy() if norm <= length else vector * (length / norm)
