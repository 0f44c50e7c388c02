"""Observations in, reward estimates out."""

from __future__ import annotations

import sys
import time

from sinew_core.models import make_reward
from sinew_core.protocols import RewardModel
from sinew_core.runtime import checked_estimate, guarded
from sinew_core.types import Observation, Task
from sinew_msgs.msg import RewardEstimate

from sinew_nodes import convert, qos
from sinew_nodes.component_node import run_node
from sinew_nodes.observer_node import ObserverNode
from sinew_nodes.parameters import RewardParameters
from sinew_nodes.patience import Patience


class RewardNode(ObserverNode[RewardParameters]):
    """Grades each observation."""

    Parameters = RewardParameters

    def __init__(self) -> None:
        super().__init__("reward_node")

    def setup(self) -> None:
        """Load the reward model and subscribe."""
        self.open_episodes()
        self._model: RewardModel = make_reward(self.parameters.reward, self.hardware, self.parameters.task)
        if "torch" in sys.modules:  # for one observation at a time, a second thread only costs time
            sys.modules["torch"].set_num_threads(1)
        self._publisher = self.create_publisher(RewardEstimate, "reward", qos.event())
        self._patience = Patience(self.parameters.reward_timeout, self.announce)
        self.open_observations(self._model, affordance=True)

    def teardown(self) -> None:
        """Stop watching the model."""
        if hasattr(self, "_patience"):
            self._patience.close()

    def begin(self, task: Task) -> None:
        """Reset the reward model."""
        super().begin(task)
        guarded(self._model, self._model.reset, task)

    def observe(self, observation: Observation) -> None:
        """Grade the observation."""
        assert self.episode is not None
        started = time.perf_counter()
        with self._patience.asked(type(self._model).__name__):
            reward = checked_estimate(self._model, observation)
        self._publisher.publish(convert.reward_to_msg(reward, self.episode.number))
        self.meter.done(time.perf_counter() - started, observation.stamp)


def main() -> int:
    """Run the node."""
    return run_node(RewardNode)


if __name__ == "__main__":
    sys.exit(main())
