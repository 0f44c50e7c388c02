"""The reward of a training: any reward model, or bare success from the simulator."""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.models import make_reward
from sinew_core.protocols import RewardModel, Station
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_training.config import TrainConfig

SPARSE = "sparse"


class SimulatorSuccess:
    """1 where the simulator says that the task is done, else 0."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def reset(self, task: Task) -> None:
        """Nothing to remember."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return 1 or 0."""
        assert self._station.world is not None
        done = float(self._station.world.success())
        return RewardEstimate(observation.stamp, done, success=done)


def make_training_reward(config: TrainConfig, hardware: Hardware, station: Station) -> RewardModel:
    """Build the reward that a training asks for; raises ConfigError."""
    if config.reward == SPARSE:
        return SimulatorSuccess(station)
    return make_reward(config.reward, hardware, config.task)
