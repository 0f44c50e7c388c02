"""Statistics as LeRobot keeps them: min, max, mean, std, count and quantiles, of an episode and of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray, ImageArray

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
LEVELS = 256  # of a colour
Statistics = dict[str, npt.NDArray[Any]]


def column_statistics(values: npt.NDArray[Any]) -> Statistics:
    """Return the statistics of (rows,) or (rows, n), each (1,) or (n,); NaN counts nowhere.

    A column without a single number has zeros throughout.
    """
    table = values.astype(np.float64).reshape(len(values), -1)
    known = table[np.isfinite(table).all(axis=1)]
    count = np.array([len(known)])
    if not len(known):
        known = np.zeros((1, table.shape[1]))
    quantiles = dict(zip(QUANTILES, np.quantile(known, list(QUANTILES.values()), axis=0), strict=True))
    basic = {"min": known.min(axis=0), "max": known.max(axis=0), "mean": known.mean(axis=0)}
    return {**basic, "std": known.std(axis=0), "count": count, **quantiles}


class ImageStatistics:
    """Counts the levels of each colour; every statistic follows exactly from the counts."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, LEVELS), dtype=np.int64)
        self._frames = 0

    def add(self, frame: ImageArray) -> None:
        """Take a frame (h, w, 3)."""
        for channel in range(3):
            self._counts[channel] += np.bincount(frame[..., channel].ravel(), minlength=LEVELS)
        self._frames += 1

    def result(self) -> Statistics:
        """Return the statistics, (3, 1, 1) each, of colours from 0 to 1; `count` is of frames."""
        levels, total = np.arange(LEVELS) / (LEVELS - 1), self._counts.sum(axis=1)
        below = np.cumsum(self._counts, axis=1)
        mean = self._counts @ levels / total
        found = {
            "min": levels[(self._counts > 0).argmax(axis=1)],
            "max": levels[LEVELS - 1 - (self._counts > 0)[:, ::-1].argmax(axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(self._counts @ levels**2 / total - mean**2, 0.0)),
            **{
                name: levels[(below >= (share * total)[:, None]).argmax(axis=1)]
                for name, share in QUANTILES.items()
            },
        }
        shaped: Statistics = {name: values.reshape(3, 1, 1) for name, values in found.items()}
        return {**shaped, "count": np.array([self._frames])}


class TotalStatistics:
    """Adds the statistics of episodes up.

    Mean and std are exact; the quantiles are the weighted means of the episodes' own, as LeRobot adds
    them up.
    """

    def __init__(self) -> None:
        self._total: dict[str, Statistics] = {}

    def add(self, episode: Mapping[str, Statistics]) -> None:
        """Take an episode's statistics by feature."""
        for name, found in episode.items():
            known = self._total.get(name)
            self._total[name] = dict(found) if known is None else _together(known, found)

    def plain(self) -> dict[str, dict[str, Any]]:
        """Return all as lists."""
        return {
            name: {key: values.tolist() for key, values in found.items()}
            for name, found in self._total.items()
        }


def _together(one: Statistics, other: Statistics) -> Statistics:
    counts = one["count"] + other["count"]
    if not counts[0] or not other["count"][0]:
        return one
    if not one["count"][0]:
        return dict(other)
    share = float(other["count"][0] / counts[0])

    def mixed(a: FloatArray, b: FloatArray) -> FloatArray:
        return a + share * (b - a)

    mean = mixed(one["mean"], other["mean"])
    spread = mixed(
        one["std"] ** 2 + (one["mean"] - mean) ** 2, other["std"] ** 2 + (other["mean"] - mean) ** 2
    )
    return {
        "min": np.minimum(one["min"], other["min"]),
        "max": np.maximum(one["max"], other["max"]),
        "mean": mean,
        "std": np.sqrt(spread),
        "count": counts,
        **{name: mixed(one[name], other[name]) for name in QUANTILES},
    }
