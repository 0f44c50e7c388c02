"""The policy node of a graph that learns: acts with the newest weights, makes transitions of what came of it.

It stands where policy_node stands. The learner may come and go: the last weights go on acting, and what
was done waits on the disk until it is acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from array import array
from pathlib import Path

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.timer import Timer
from sinew_core.models import make_policy
from sinew_core.protocols import Policy
from sinew_core.types import Observation, Task
from sinew_msgs.msg import EpisodeEvent, ExecutedCommand, PolicyWeights, RewardEstimate, Transitions
from sinew_msgs.msg import TransitionsAck as Ack
from sinew_training.experience import DISCARDED, Experience, Learnt
from sinew_training.learning import replay_schema
from sinew_training.newest import NewestPolicy
from sinew_training.spool import Entry, Spool
from sinew_training.weights import Weights, WeightsError, recall, unpack
from sinew_training.wire import FORMAT, Fragment

from sinew_nodes import convert, qos
from sinew_nodes.actor_courier import Courier
from sinew_nodes.component_node import run_node
from sinew_nodes.parameters import ActorParameters
from sinew_nodes.policy_node import PolicyNode

TICK = 0.1  # s
GRACE = 1.0  # s that an episode's last messages may take
TELL = 5.0  # s between two complaints
GIGABYTE = 1 << 30


class ActorNode(PolicyNode):
    """A policy node whose policy is replaced while it acts.

    With `alone` it brings itself up, and its process ends when it fails: no lifecycle manager looks after
    it, so that its death does not take the graph down. The station holds the arm until it is back.
    """

    Parameters = ActorParameters
    parameters: ActorParameters

    def __init__(self, *, alone: bool = False, name: str = "actor_node") -> None:
        super().__init__(name)
        self.failed = False
        self._alone = alone
        self._courier: Courier | None = None
        self._ended = 0.0  # s, when the episode was heard to have ended
        self._rise: Timer | None = None
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK, self._tick, clock=steady)
        if alone:
            self._rise = self.create_timer(TICK / 2, self._come_up, clock=steady)

    def setup(self) -> None:
        """Open the spool, take up the last weights, and subscribe."""
        parameters = self.parameters
        self._folder = Path(parameters.spool).expanduser().absolute()
        spool = Spool(self._folder / "transitions", parameters.run, round(parameters.limit * GIGABYTE))
        self._name = spool.actor
        self._outlet = self.create_publisher(Transitions, "transitions", qos.transitions())
        self._courier = Courier(spool, self._send, lambda error: self.post(_raise, error))
        super().setup()
        self._experience = Experience(self.hardware, parameters.fragment, self._give)
        self._recall()
        self.listen(PolicyWeights, "weights", self._on_weights, qos.weights())
        self.listen(Ack, "transitions/acknowledged", self._on_ack, qos.acknowledgements())
        self.listen(ExecutedCommand, "executed_command", self._on_executed, qos.event())
        self.listen(RewardEstimate, "reward", self._on_reward, qos.event())
        self.listen(EpisodeEvent, "episode", self._on_end, qos.latched())
        self.get_logger().info(
            f"run '{parameters.run}', actor {spool.actor}: {spool.waiting} transitions wait in {self._folder}"
        )

    def make_policy(self) -> Policy:
        """Return the policy that always acts with the newest weights."""
        parameters = self.parameters
        start = None
        if parameters.policy:
            start = make_policy(parameters.policy, self.hardware, parameters.task)
        self._newest = NewestPolicy(
            self.hardware, start, greedy=parameters.greedy, needs_frames=parameters.images
        )
        return self._newest

    def teardown(self) -> None:
        """Put what is left of a running episode on the disk."""
        courier, self._courier = self._courier, None
        if courier is not None:
            courier.close()

    def halt(self) -> None:
        """Keep what there is of a running episode."""
        if self._courier is not None and not self.failed:
            self._close_episode()

    def begin(self, task: Task) -> None:
        """Begin an episode; one whose end was not heard of was broken off."""
        assert self.episode is not None
        assert self._courier is not None
        self._close_episode()
        super().begin(task)
        held = self._newest.held
        self._courier.begin()
        learnt = None
        if held is not None:
            encoding, actions = held.acting.encoding, held.acting.actions
            self._schema = replay_schema(encoding, actions, self.hardware)
            learnt = Learnt(encoding, actions, held.grading)
        self._experience.begin(self.episode.number, learnt)

    def observe(self, observation: Observation) -> None:
        """Act on an observation, and remember it."""
        super().observe(observation)
        self._experience.observed(observation)

    def fail(self, error: BaseException) -> None:
        """Fail so that the station holds; alone, the process ends, too."""
        self.failed = True
        super().fail(error)
        if self._alone:
            os.kill(os.getpid(), signal.SIGTERM)

    def _come_up(self) -> None:
        assert self._rise is not None
        self._rise.cancel()
        for step in (self.trigger_configure, self.trigger_activate):
            if step() != TransitionCallbackReturn.SUCCESS:
                self.failed = True
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def _give(self, fragment: Fragment) -> None:
        if self._courier is not None:
            self._courier.give(fragment, self._schema)

    def _close_episode(self) -> None:
        if self._courier is None:
            return
        if self._experience.close() == DISCARDED:
            self._courier.discard()
        else:
            self._courier.release()

    def _send(self, spool: Spool, entry: Entry | None, data: bytes) -> None:
        """Publish an entry of the spool, or only that the actor is there; in the courier's thread."""
        message = Transitions(run=spool.run, actor=spool.actor, first=spool.next, format=FORMAT)
        message.header.stamp = self.get_clock().now().to_msg()
        message.oldest = spool.oldest
        if entry is not None:
            message.first, message.count = entry.first, entry.last - entry.first + 1
            message.data = array("B", data)
        self._outlet.publish(message)

    def _recall(self) -> None:
        try:
            weights = recall(self._folder)
            if weights is None:
                return
            self._newest.adopt(unpack(weights, self.hardware, None))
        except WeightsError as error:
            self.get_logger().warning(f"the last weights are left out: {error}")
            return
        self.get_logger().info(f"acts with weights {weights.version} until newer ones come")

    def _on_weights(self, message: PolicyWeights) -> None:
        if message.run != self.parameters.run:
            self._complain(
                f"weights of the run '{message.run}' are left out; this is '{self.parameters.run}'"
            )
            return
        weights = Weights(int(message.version), int(message.updates), message.sheet, bytes(message.data))
        try:
            self._newest.adopt(unpack(weights, self.hardware, self._newest.held))
        except WeightsError as error:
            self.meter.counts["weights_refused"] += 1
            self.get_logger().error(f"{error} The ones before stay in use.")
            return
        self.meter.counts["weights"] += 1
        if self._courier is not None:
            self._courier.keep_weights(self._folder, weights)

    def _on_ack(self, message: Ack) -> None:
        if self._courier is None or (message.run, message.actor) != (self.parameters.run, self._name):
            return
        self._courier.acknowledged(int(message.sequence), message.refusal)
        if message.refusal:
            self.meter.counts["refusals"] += 1
            self._complain(f"the learner takes nothing: {message.refusal}")

    def _on_executed(self, message: ExecutedCommand) -> None:
        if message.episode and self.active:
            self._experience.executed(int(message.episode), convert.executed_from_msg(message))
            self._close_if_settled()

    def _on_reward(self, message: RewardEstimate) -> None:
        if self.active:
            self._experience.rewarded(int(message.episode), convert.reward_from_msg(message))
            self._close_if_settled()

    def _on_end(self, event: EpisodeEvent) -> None:
        if event.kind == EpisodeEvent.ENDED and self.active:
            self._experience.ended(int(event.episode), event.outcome)
            self._ended = time.monotonic()
            self._close_if_settled()

    def _close_if_settled(self, *, late: bool = False) -> None:
        if self._experience.ending and (late or self._experience.settled):
            self._close_episode()

    def _tick(self) -> None:
        if self._courier is None or not self.active:
            return
        try:
            self._close_if_settled(late=time.monotonic() - self._ended > GRACE)
        except Exception as error:  # noqa: BLE001 - the node's boundary
            self.fail(error)
            return
        self._courier.tick(listened=self._outlet.get_subscription_count() > 0)
        self.meter.counts["waiting"] = self._courier.waiting

    def _complain(self, sentence: str) -> None:
        self.get_logger().warning(sentence, throttle_duration_sec=TELL)


def _raise(error: BaseException) -> None:
    raise error


def main() -> int:
    """Run the node by itself; 1 if it failed."""
    made: list[ActorNode] = []

    def make() -> ActorNode:
        made.append(ActorNode(alone=True))
        return made[0]

    code = run_node(make)
    return 1 if made and made[0].failed else code


if __name__ == "__main__":
    sys.exit(main())
