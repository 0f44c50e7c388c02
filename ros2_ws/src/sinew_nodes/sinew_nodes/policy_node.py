"""Observations in, action chunks out."""

from __future__ import annotations

import sys
import time

from sinew_core.authority import HUMAN
from sinew_core.models import make_policy
from sinew_core.protocols import Policy
from sinew_core.runtime import checked_infer, guarded
from sinew_core.types import Observation, Task
from sinew_data.messages import Observed
from sinew_msgs.msg import Authority
from sinew_msgs.msg import Observed as ObservedMsg
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.component_node import run_node
from sinew_nodes.observer_node import ObserverNode
from sinew_nodes.parameters import PolicyParameters


class PolicyNode(ObserverNode[PolicyParameters]):
    """Asks the policy for each observation; while a person drives it begins anew each time."""

    Parameters = PolicyParameters

    def __init__(self, name: str = "policy_node") -> None:
        super().__init__(name)

    def setup(self) -> None:
        """Load the policy and subscribe."""
        self.open_episodes()
        self._policy: Policy = self.make_policy()
        self._owner = ""
        self._publisher = self.create_publisher(JointTrajectory, "policy/chunk", qos.command(self.pace))
        self._observed = self.create_publisher(ObservedMsg, "policy/observed", qos.event())
        self.listen(Authority, "authority", self._on_authority, qos.latched())
        self.open_observations(self._policy, affordance=True)

    def make_policy(self) -> Policy:
        """Return the policy that is asked."""
        return make_policy(self.parameters.policy, self.hardware, self.parameters.task)

    def begin(self, task: Task) -> None:
        """Reset the policy."""
        super().begin(task)
        guarded(self._policy, self._policy.reset, task)

    def observe(self, observation: Observation) -> None:
        """Ask the policy."""
        started = time.perf_counter()
        if self._owner == HUMAN:  # what it had planned is void, should it be its turn again
            guarded(self._policy, self._policy.reset, observation.task)
        chunk = checked_infer(self._policy, observation, len(self.joint_names))
        self._publisher.publish(convert.chunk_to_msg(chunk, self.joint_names))
        self.meter.done(time.perf_counter() - started, observation.stamp)
        self._tell_observed(observation)

    def _tell_observed(self, observation: Observation) -> None:
        """Say what the observation was made of, so that a recording can be put together just so."""
        assert self.episode is not None
        frames = {name: frame.stamp for name, frame in observation.frames.items()}
        observed = Observed(observation.stamp, self.episode.number, self.percept_stamp, frames)
        self._observed.publish(convert.observed_to_msg(observed))

    def _on_authority(self, message: Authority) -> None:
        self._owner = message.owner


def main() -> int:
    """Run the node."""
    return run_node(PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
