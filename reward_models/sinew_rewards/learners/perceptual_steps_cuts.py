"""Cutting a demonstration into steps within which little changes (Sermanet et al. 2016, algorithm 1)."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray


def step_cuts(features: FloatArray, steps: int, least: int) -> list[int]:
    """Return where each step of features (T, d) after the first one begins, rising (steps - 1).

    The recursion of the paper: of all last cuts, the one that is best together with the best cuts of what
    comes before it. Its answers are kept, so that the optimum costs T squared. No step has fewer than
    `least` frames; ValueError where there are too few for that.
    """
    length = len(features)
    if length < steps * least:
        raise ValueError(f"expected at least {steps * least} frames, got {length}.")
    within = _within(features, least)  # [start, end)
    best, cut = within[0], np.zeros((steps, length + 1), np.int64)
    for step in range(1, steps):
        total = best[:, None] + within  # (cut, end)
        cut[step] = total.argmin(0)
        best = total.min(0)
    found, end = [], length
    for step in range(steps - 1, 0, -1):
        end = int(cut[step][end])
        found.append(end)
    return found[::-1]


def _within(features: FloatArray, least: int) -> FloatArray:
    """Return (T + 1, T + 1) the frames times the mean spread of features from start to end; else infinity."""
    length = len(features)
    sums = np.concatenate([np.zeros((1, features.shape[1])), features.cumsum(0)])
    squares = np.concatenate([np.zeros((1, features.shape[1])), np.square(features).cumsum(0)])
    found = np.full((length + 1, length + 1), np.inf)
    for start in range(length - least + 1):
        ends = np.arange(start + least, length + 1)
        count = (ends - start)[:, None]
        mean = (sums[ends] - sums[start]) / count
        variance = np.maximum((squares[ends] - squares[start]) / count - np.square(mean), 0.0)
        found[start, ends] = count[:, 0] * np.sqrt(variance).mean(1)
    return found
