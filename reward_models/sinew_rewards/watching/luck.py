"""Whether luck explains it: permutations, bootstrap, a binomial tail, and two samples that differ."""

from __future__ import annotations

import math

import numpy as np
from sinew_core.types import FloatArray

DRAWS = 2000


def chance_of_rise(before: FloatArray, after: FloatArray, rng: np.random.Generator) -> float:
    """Return the chance that the mean of `after` lies so far above that of `before` by luck: permutations."""
    pooled = np.concatenate([before, after])
    found = after.mean() - before.mean()
    mixed = rng.permuted(np.tile(pooled, (DRAWS, 1)), axis=1)
    drawn = mixed[:, len(before) :].mean(1) - mixed[:, : len(before)].mean(1)
    return float((1 + (drawn >= found - 1e-12).sum()) / (1 + DRAWS))


def bootstrap_means(rows: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the means (DRAWS, d) of rows (n, d) drawn with replacement."""
    drawn = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=DRAWS)
    return np.asarray(drawn @ rows / len(rows))


def binomial_tail(hits: int, trials: int, share: float) -> float:
    """Return the chance of at least so many hits."""
    return math.fsum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits, trials + 1)
    )


def kolmogorov_smirnov(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Return the largest distance of two samples' distributions, and about the chance that it is luck.

    The chance is Kolmogorov's series with Stephens's 1970 correction for small samples.
    """
    at = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(each), at, side="right") / len(each) for each in (a, b)]
    distance = float(np.abs(below[0] - below[1]).max())
    size = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    x = (size + 0.12 + 0.11 / size) * distance
    if x < 0.2:  # where the series does not settle, and the chance is 1 for rounding
        return distance, 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return distance, min(max(2 * math.fsum(terms), 0.0), 1.0)
