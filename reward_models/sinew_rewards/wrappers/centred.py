"""A reward less what a base policy gets on average: above 0 is better than that, below is worse.

After Naik et al. 2024, "Reward Centering", with a mean that is fixed instead of learned along the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, and what is taken away from it, which never changes while it acts (`fit` finds it)."""

    source: Mapping[str, Any]  # the plugin that is centred
    mean: float  # in its units


class Centred:
    """Values: value - mean; all else is the source's. Episodes that end early lose or gain by that."""

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "centred", "centred: source", hardware, task)
        self.needs_frames = self._source.needs_frames

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._source.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the centred estimate; terms: those of the source."""
        said = self._source.estimate(observation)
        value = float(said.value) - self._config.mean
        terms = self._source.terms(said)
        return RewardEstimate(observation.stamp, value, said.success, said.progress, said.uncertainty, terms)


def fit(source: Mapping[str, Any], values: npt.ArrayLike) -> Config:
    """Return the configuration for a source plugin and its values (n,) along a base policy's episodes.

    Raises ConfigError for no values, or ones that are not finite.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array).all():
        raise ConfigError(f"centred: expected finite values (n,), at least one, got shape {array.shape}.")
    return Config(source, float(array.mean()))
