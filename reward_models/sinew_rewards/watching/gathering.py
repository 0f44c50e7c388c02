"""Gathers what is to be watched of an episode while it runs, one estimate after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.types import FloatArray, RewardEstimate

from sinew_rewards.watching.episode import Watched


class Gathering:
    """Call `begin`, then `take` at every step, then `end`, whose answer goes to `Watch.take`."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin an episode; one that was broken off is dropped."""
        self._values: list[float] = []
        self._terms: list[Mapping[str, float]] = []
        self._features: list[FloatArray] = []
        self._truth: list[float] = []

    def take(
        self, estimate: RewardEstimate, features: FloatArray | None = None, truth: float | None = None
    ) -> None:
        """Take a step: what the reward said and, where they are known, its inputs (d,) and the truth."""
        self._values.append(float(estimate.value))
        self._terms.append(dict(estimate.terms))
        if features is not None:
            self._features.append(np.array(features, np.float64))
        if truth is not None:
            self._truth.append(float(truth))

    def end(self, verdict: float | None) -> Watched | None:
        """Return the episode; None where nothing was taken.

        A term that was not said in some step paid nothing there; inputs and truth count only where every
        step has them.
        """
        steps = len(self._values)
        if steps == 0:
            return None
        names = sorted({name for terms in self._terms for name in terms})
        return Watched(
            values=np.array(self._values),
            verdict=verdict,
            truth=np.array(self._truth) if len(self._truth) == steps else None,
            terms={name: np.array([terms.get(name, 0.0) for terms in self._terms]) for name in names},
            features=np.array(self._features) if len(self._features) == steps else None,
        )
