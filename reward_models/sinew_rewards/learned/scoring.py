"""The two seams of learned rewards: what learns, and what it leaves, which scores one step after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Score:
    """What one step is worth; see RewardEstimate."""

    value: float
    success: float | None = None  # probability
    progress: float | None = None  # 0 to 1
    uncertainty: float | None = None  # standard deviation of value
    terms: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class Scorer(Protocol):
    """A learned reward on features, as it acts and as it is kept.

    `settings` are JSON values and `arrays` numpy arrays; `restore` makes the same scorer of them.
    """

    def reset(self) -> None:
        """Begin an episode."""

    def score(self, features: FloatArray) -> Score:
        """Score the next step, features (d,)."""

    def settings(self) -> Mapping[str, Any]:
        """Return what belongs into its JSON file."""

    def arrays(self) -> Arrays:
        """Return what belongs into its safetensors file."""

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return what `settings` and `arrays` describe; ValueError if they do not fit together."""


@runtime_checkable
class Learner(Protocol):
    """Learns a reward. A learner has one file, with a frozen `Config`; the seed decides every draw."""

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> Scorer:
        """Learn; ConfigError with a sentence where the feedback is not enough, or is of another kind."""


def score_all(scorer: Scorer, features: npt.NDArray[Any]) -> FloatArray:
    """Return the values (T,) of an episode's features (T, d), from its beginning."""
    scorer.reset()
    return np.array([scorer.score(np.asarray(row, np.float64)).value for row in features])
