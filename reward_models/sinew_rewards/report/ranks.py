"""Rank correlation, with ties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray


def ranks(values: npt.ArrayLike) -> FloatArray:
    """Return ranks (n,) from 0 on; what is equal shares the mean of its ranks."""
    _, inverse, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: FloatArray = (ends - counts + ends - 1) / 2
    return means[inverse]


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation of two series (n,); 0 where either never changes."""
    a, b = (each - each.mean() for each in (ranks(first), ranks(second)))
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0
