"""The scorer that comparisons leave: an ensemble's mean as value, its spread as uncertainty, and progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.learned.network import Ensemble, ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score

ENDS = (5.0, 95.0)  # percentiles of the values over training rows between which progress rises evenly
ROUNDING = 10.0  # of the squash at both ends


class PreferenceScorer:
    """Value: the mean over members, 0 on average over the training rows; uncertainty: their spread.

    Progress is the value, squashed: it rises evenly where training rows lay and flattens outside, but
    nowhere stands still. So it is a potential that is worth something before the first success is ever
    seen and cannot be driven beyond 1 by a place where nothing was compared. Terms: each member's value.
    """

    def __init__(self, network: Ensemble, low: float, high: float) -> None:
        self._network, self._low, self._high = network, low, high

    def reset(self) -> None:
        """Nothing to forget."""

    def score(self, features: FloatArray) -> Score:
        """Score a step of features (d,)."""
        values = self._network.of(features)[:, 0]  # (members)
        value = float(values.mean())
        terms = {f"member_{i}": float(each) for i, each in enumerate(values)}
        return Score(value, progress=self._progress(value), uncertainty=float(values.std()), terms=terms)

    def _progress(self, value: float) -> float:
        """Return a value from 0 to 1: even between `low` and `high`, rounded off at both."""
        way = (value - self._low) / (self._high - self._low)
        rising = np.logaddexp(0.0, ROUNDING * way) - np.logaddexp(0.0, ROUNDING * (way - 1))
        return float(np.clip(rising / ROUNDING, 0.0, 1.0))

    def settings(self) -> Mapping[str, Any]:
        """Return between which values progress rises."""
        return {"low": self._low, "high": self._high}

    def arrays(self) -> Arrays:
        """Return the ensemble's weights."""
        return self._network.arrays()

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these weights; ValueError or KeyError where something is missing."""
        return cls(ensemble_of(arrays), float(settings["low"]), float(settings["high"]))


def scorer_of(network: Ensemble, features: FloatArray) -> PreferenceScorer:
    """Return the scorer of a fitted ensemble, its progress by the values of training rows (N, d)."""
    values = network.of(features)[..., 0].mean(0)
    low, high = np.percentile(values, ENDS)
    return PreferenceScorer(network, float(low), float(max(high, low + 1e-6)))
