"""A reward for coming nearer to one sub-goal after the other; it telescopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learners.subgoals_cuts import CutConfig, cuts

FARTHEST = 10.0  # standard deviations, beyond which nothing is farther
SHORTEST = 1e-6  # standard deviations; of a way where all demonstrations are alike
NAMES = ("least", "goals", "mean", "std")


class SubgoalScorer:
    """Pays 1 for the whole way to each sub-goal (g, d), as much of it at a time as the distance falls.

    A sub-goal is reached when less than the share `reached` of the way is left, which is then paid at once,
    and the next one counts. So the values of an episode add up to how many sub-goals were reached and the
    share of the way to the next; going back is charged, at most as much as a whole way. The way begins
    where the sub-goal before was reached, and none counts as shorter than `least` (g,), in standard
    deviations of features: a normaliser near zero would pay for trembling.
    """

    def __init__(
        self,
        cut: CutConfig,
        reached: float,
        least: FloatArray,
        goals: FloatArray,
        mean: FloatArray,
        std: FloatArray,
    ) -> None:
        self._cut, self._reached, self._least = cut, reached, least
        self._goals, self._mean, self._std = goals, mean, std
        self.reset()

    @property
    def goals(self) -> int:
        """How many sub-goals there are."""
        return len(self._goals)

    def reset(self) -> None:
        """Begin with the first sub-goal."""
        self._done, self._way, self._paid = 0, 0.0, 0.0

    def score(self, features: FloatArray) -> Score:
        """Score a step; the first one of an episode is worth what of the first way is not there to go."""
        here = self._standard(features)
        if self._way == 0.0:
            self._way = self._way_from(here)
        while self._done < self.goals and 1 - self._share(here) < self._reached:
            self._done += 1
            self._way = self._way_from(here)
        total = self._done + self._share(here)
        value, self._paid = total - self._paid, total
        progress = float(np.clip(total / self.goals, 0.0, 1.0))
        return Score(value, progress=progress, terms={"reached": float(self._done)})

    def cuts(self, features: FloatArray) -> list[int]:
        """Return the frames of an episode's features (T, d) at which it reaches a sub-goal of its own."""
        return cuts(self._standard(features), self._cut)

    def settings(self) -> Mapping[str, Any]:
        """Return what is no array."""
        return {"cut": asdict(self._cut), "reached": self._reached}

    def arrays(self) -> Arrays:
        """Return sub-goals and statistics."""
        values = (self._least, self._goals, self._mean, self._std)
        return {name: value.copy() for name, value in zip(NAMES, values, strict=True)}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> SubgoalScorer:
        """Return the scorer of these; ValueError for shapes that do not fit together."""
        least, goals, mean, std = (np.array(arrays[name], np.float64) for name in NAMES)
        if goals.ndim != 2 or least.shape != goals.shape[:1] or {mean.shape, std.shape} != {goals.shape[1:]}:
            raise ValueError(
                f"sub-goals {goals.shape}, least {least.shape}, mean {mean.shape} and std {std.shape} do not "
                "fit together"
            )
        return cls(CutConfig(**settings["cut"]), float(settings["reached"]), least, goals, mean, std)

    def _standard(self, features: FloatArray) -> FloatArray:
        return np.clip((features - self._mean) / self._std, -FARTHEST, FARTHEST)

    def _way_from(self, here: FloatArray) -> float:
        """Return how far it is to the next sub-goal; 1 where there is none."""
        if self._done == self.goals:
            return 1.0
        distance = float(np.linalg.norm(here - self._goals[self._done]))
        return max(distance, float(self._least[self._done]), SHORTEST)

    def _share(self, here: FloatArray) -> float:
        """Return how much of the way to the next sub-goal is done, -1 to 1; 0 where there is none."""
        if self._done == self.goals:
            return 0.0
        distance = float(np.linalg.norm(here - self._goals[self._done]))
        return max(1.0 - distance / self._way, -1.0)
