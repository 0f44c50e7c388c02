"""How good a reward thinks an episode's moments are: the series that is held against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.rewards_beside import Estimates

from sinew_rewards.learned.trajectory import Trajectory

By = Literal["auto", "progress", "value", "return"]
LAST = 10  # rows, over which an episode's end is averaged


@dataclass(frozen=True, slots=True)
class Case:
    """An episode and what a reward says of it."""

    trajectory: Trajectory
    estimates: Estimates

    def standing(self, by: By) -> FloatArray:
        """Return how far along each row (T,) is by the reward: its progress, value or sum of values."""
        if by == "progress":
            return self.estimates.progress
        return np.cumsum(self.estimates.value) if by == "return" else self.estimates.value

    def final(self, by: By) -> float:
        """Return how good the end is: the mean standing of the last rows."""
        return float(self.standing(by)[-LAST:].mean())


def chosen(by: By, cases: Sequence[Case]) -> By:
    """Return which series stands for how far along a reward thinks an episode is.

    Of itself the progress, where the reward speaks of it everywhere, else its value. A reward that pays
    for changes, as one on regret or in delta form does, wants `return`.
    """
    if by != "auto":
        return by
    return "progress" if all(np.isfinite(case.estimates.progress).all() for case in cases) else "value"
