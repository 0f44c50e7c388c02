"""Observations in, action chunks out."""

from __future__ import annotations

import sys
import time

from sinew_core.models import make_policy
from sinew_core.protocols import Policy
from sinew_core.runtime import checked_infer, guarded
from sinew_core.types import Observation, Task
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.component_node import run_node
from sinew_nodes.observer_node import ObserverNode
from sinew_nodes.parameters import PolicyParameters


class PolicyNode(ObserverNode[PolicyParameters]):
    """Asks the policy for each observation."""

    Parameters = PolicyParameters

    def __init__(self) -> None:
        super().__init__("policy_node")

    def setup(self) -> None:
        """Load the policy and subscribe."""
        self.open_episodes()
        self._policy: Policy = make_policy(self.parameters.policy, self.hardware, self.parameters.task)
        self._publisher = self.create_publisher(JointTrajectory, "policy/chunk", qos.command(self.pace))
        self.open_observations(self._policy, affordance=True)

    def begin(self, task: Task) -> None:
        """Reset the policy."""
        super().begin(task)
        guarded(self._policy, self._policy.reset, task)

    def observe(self, observation: Observation) -> None:
        """Ask the policy."""
        started = time.perf_counter()
        chunk = checked_infer(self._policy, observation, len(self.joint_names))
        self._publisher.publish(convert.chunk_to_msg(chunk, self.joint_names))
        self.meter.done(time.perf_counter() - started, observation.stamp)


def main() -> int:
    """Run the node."""
    return run_node(PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
