"""What a decision is worth to a learner, of the estimates that a reward model gave along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sinew_core.types import RewardEstimate


class Grading(Protocol):
    """Turns the estimates around one decision into its reward."""

    def reward(self, start: RewardEstimate, after: Sequence[RewardEstimate], terminated: bool) -> float:
        """Return the reward, given the estimate before and those after; `terminated`: the task is done."""


class MeanValue:
    """The mean value of the observations that followed."""

    def reward(self, start: RewardEstimate, after: Sequence[RewardEstimate], terminated: bool) -> float:
        """Return the mean."""
        return float(np.mean([estimate.value for estimate in after]))


@dataclass(frozen=True, slots=True)
class Shaped:
    """1 where the task is done, and the change of a potential on the way: weight times the progress.

    After Ng, Harada and Russell 1999, "Policy invariance under reward transformations": F = gamma
    Phi(s') - Phi(s), with Phi = 0 once the task is done, changes no preference between policies, so no
    detour pays. Unlike a cost for every step it leaves a fresh critic, which says 0, no reason to expect
    more of what was never tried.
    """

    weight: float
    discount: float  # of one decision

    def reward(self, start: RewardEstimate, after: Sequence[RewardEstimate], terminated: bool) -> float:
        """Return the shaped reward."""
        following = 0.0 if terminated else self.discount * _progress(after[-1])
        return float(terminated) + self.weight * (following - _progress(start))


def _progress(estimate: RewardEstimate) -> float:
    """Return the progress that an estimate speaks of; none where it knows nothing of it."""
    known = estimate.progress is not None and math.isfinite(estimate.progress)
    return estimate.progress if known and estimate.progress is not None else 0.0


def make_grading(shaping: float, discount: float) -> Grading:
    """Return the grading of a training; no shaping takes the reward model at its values."""
    return Shaped(shaping, discount) if shaping > 0 else MeanValue()
