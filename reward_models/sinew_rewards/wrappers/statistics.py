"""Mean and spread of a reward's values, fixed before it acts: no episode changes what another one pays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.protocols import RewardModel
from sinew_core.types import FloatArray, Observation, Task


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one reward's values on held-out episodes, in the units of those values."""

    mean: float
    std: float

    def __post_init__(self) -> None:
        """Check that it can be divided by."""
        if not self.std > 0:
            raise ValueError(f"std: expected above 0, got {self.std}.")

    def standard(self, value: float) -> float:
        """Return a value in standard deviations from the mean."""
        return (value - self.mean) / self.std


def statistics_of(values: npt.ArrayLike, what: str = "the reward") -> Statistics:
    """Return the statistics of values (n,), with the unbiased variance.

    Raises ConfigError for fewer than two values, values that are not finite, or all alike.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) < 2 or not np.isfinite(array).all():
        raise ConfigError(f"{what}: expected at least two finite values (n,), got shape {array.shape}.")
    mean, std = float(array.mean()), float(array.std(ddof=1))
    if std <= 1e-12 * (1.0 + abs(mean)):
        raise ConfigError(
            f"{what} is {mean:g} on all {len(array)} observations: it has no spread to divide by; leave it "
            "out, or take episodes in which it changes."
        )
    return Statistics(mean, std)


def episode_values(model: RewardModel, task: Task, observations: Iterable[Observation]) -> FloatArray:
    """Return a reward's values (T,) along one episode, from its beginning."""
    model.reset(task)
    return np.array([model.estimate(observation).value for observation in observations], np.float64)
