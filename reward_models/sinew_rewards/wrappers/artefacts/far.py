"""What is seen lies far outside of all that a learned reward learned from, so that it can only guess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.learned.features import make_features
from sinew_rewards.learned.saved import load_facts
from sinew_rewards.wrappers.ramp import check_ramp, ramp


@dataclass(frozen=True, slots=True)
class Config:
    """Of which learned reward, and what counts as far.

    A feature's distance is how far it lies outside the range that it had in training, in standard
    deviations of training; the most distant feature counts.
    """

    weights: Path  # of the learned reward, beside which its facts are
    near: float = 1.0  # standard deviations outside at which the score is 0
    far: float = 3.0  # and at which it is 1
    least_std: float = 1e-3  # for features that hardly changed in training

    def __post_init__(self) -> None:
        """Check the order."""
        check_ramp(self.near, self.far, "near and far")
        if not 0.0 <= self.near < self.far or self.least_std <= 0:
            raise ValueError(
                "expected 0 <= near < far and least_std > 0, got "
                f"{self.near}, {self.far} and {self.least_std}."
            )


class Far:
    """Scores the features of each observation; None while they are not known."""

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config = config
        facts = load_facts(config.weights)
        self._features = make_features(facts.features, hardware)
        if (self._features.names, self._features.tag) != (facts.feature_names, facts.feature_tag):
            raise ConfigError(f"{config.weights}: was learnt on other features than these here.")
        self._lowest = np.array([spread.lowest for spread in facts.spreads])
        self._highest = np.array([spread.highest for spread in facts.spreads])
        self._std = np.maximum([spread.std for spread in facts.spreads], config.least_std)

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._features.reset(task)

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        """Return the score of the most distant feature; 1 for features that are not finite."""
        found = self._features.of(observation)
        if found is None:
            return None
        if not np.isfinite(found).all():
            return 1.0
        return ramp(float(self._outside(found).max()), self._config.near, self._config.far)

    def _outside(self, features: FloatArray) -> FloatArray:
        """Return how far features (d,) lie outside their ranges, in standard deviations."""
        beyond = np.maximum(self._lowest - features, features - self._highest)
        return np.asarray(np.maximum(beyond, 0.0) / self._std)
