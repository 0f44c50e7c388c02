"""A reward in standard deviations of what it was on other episodes, so that rewards of any units compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member
from sinew_rewards.wrappers.statistics import Statistics, statistics_of


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, and its mean and spread, which never change while it acts (`fit` finds them)."""

    source: Mapping[str, Any]  # the plugin that is normalised
    statistics: Statistics  # in the source's units
    limit: float = 10.0  # standard deviations, beyond which values are cut off

    def __post_init__(self) -> None:
        """Check the limit."""
        if self.limit <= 0:
            raise ValueError(f"limit: expected above 0, got {self.limit}.")


class Normalised:
    """Values: (value - mean) / std within the limit, as `uncertainty`; the rest is the source's."""

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "normalised", "normalised: source", hardware, task)
        self.needs_frames = self._source.needs_frames

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._source.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the estimate in standard deviations; terms: `cut`, 1 where the limit was reached."""
        c, said = self._config, self._source.estimate(observation)
        whole = c.statistics.standard(said.value)
        value = min(max(whole, -c.limit), c.limit)
        doubt = None if said.uncertainty is None else min(said.uncertainty / c.statistics.std, c.limit)
        terms = {"cut": float(value != whole), **self._source.terms(said)}
        return RewardEstimate(observation.stamp, value, said.success, said.progress, doubt, terms)


def fit(source: Mapping[str, Any], values: npt.ArrayLike) -> Config:
    """Return the configuration for a source plugin and its values (n,) on other episodes.

    Raises ConfigError for fewer than two values, or values that do not change.
    """
    return Config(source, statistics_of(values, "normalised: source"))
