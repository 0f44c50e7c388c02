"""The reward itself reports that it is not to be trusted: its uncertainty, or a term such as `spread`."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import reading
from sinew_rewards.wrappers.ramp import check_ramp, ramp


@dataclass(frozen=True, slots=True)
class Config:
    """What is read, and which readings mean nothing and everything."""

    zero: float  # the reading at which the score is 0; it may be the greater one
    one: float  # and at which it is 1
    read: str = "uncertainty"  # uncertainty, value, success, progress, or a term's name
    unknown: float | None = None  # the score where there is no such reading; None: it is unknown

    def __post_init__(self) -> None:
        """Check the readings."""
        check_ramp(self.zero, self.one, "zero and one")
        if self.unknown is not None and not 0.0 <= self.unknown <= 1.0:
            raise ValueError(f"unknown: expected 0 to 1 or none, got {self.unknown}.")


class Reported:
    """Scores a reading of the wrapped reward's estimate."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def reset(self, task: Task) -> None:
        """Nothing to forget."""

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        """Return the reading's place between `zero` and `one`."""
        read = reading(said, self._config.read)
        return self._config.unknown if read is None else ramp(read, self._config.zero, self._config.one)
