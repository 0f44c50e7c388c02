"""A person at the graph, as a bench: drives, stops, clears and arms, and hears every command sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.action.client import ClientGoalHandle
from sensor_msgs.msg import JointState
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, ExecutedCommand
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import ExecutedCommand as ExecutedCommandMsg
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.graph_process import GraphProcess

PATIENCE = 30.0  # s
NUDGE = 0.1  # rad/s, at which the person moves every joint


class AuthorityError(RuntimeError):
    """The graph does not do what a trial needs; the message says what was awaited."""


class AuthorityClient:
    """Publishes a chunk at each arrival of joints while `driving`; callbacks run in the graph's thread."""

    def __init__(self, graph: GraphProcess, hardware: Hardware, instruction: str) -> None:
        self._graph, self._hardware, self._instruction = graph, hardware, instruction
        self._names = hardware.robot.joint_names
        self._lock = threading.Lock()  # between the chunks of two threads
        self._stamp = 0  # ns, of the last joints
        self._handle: Any = None
        self._result: Any = None
        self.changed = threading.Condition()
        self.sent: list[ExecutedCommand] = []  # in order; their stamps are when they were written
        self.driving = False
        node = graph.node
        pace = hardware.config.pace
        self._chunks = node.create_publisher(JointTrajectory, "human/chunk", qos.command(pace))
        self._button = node.create_publisher(Bool, "emergency_stop", qos.event())
        self._services = {
            name: node.create_client(Trigger, f"station/{name}") for name in ("stop", "clear", "arm")
        }
        graph.listen(JointState, "joint_states", self._on_joints, qos.sensor(pace))
        graph.listen(ExecutedCommandMsg, "executed_command", self._on_executed, qos.event())

    def _on_joints(self, message: JointState) -> None:
        self._stamp = convert.header_stamp(message)
        if self.driving:
            self._drive()

    def _on_executed(self, message: ExecutedCommandMsg) -> None:
        with self.changed:
            self.sent.append(convert.executed_from_msg(message))
            self.changed.notify_all()

    def _drive(self) -> None:
        with self._lock:
            if self.driving:
                period = self._hardware.config.control_period
                row = self.sent[-1].position + NUDGE * period
                self._publish(row[None])

    def _publish(self, rows: Any) -> None:
        self.publish(ActionChunk(self._stamp, self._hardware.config.control_period, rows))

    def publish(self, chunk: ActionChunk) -> None:
        """Publish one chunk; a subclass may do otherwise."""
        self._chunks.publish(convert.chunk_to_msg(chunk, self._names))

    def take_over(self) -> int:
        """Begin to drive; return when the first chunk was published, in ns of the wall clock."""
        self.driving = True
        asked = time.time_ns()
        self._drive()
        return asked

    def give_back(self) -> int:
        """Give control back; return when."""
        with self._lock:
            self.driving = False
            asked = time.time_ns()
            self._publish(np.zeros((0, len(self._names))))
        return asked

    def press(self, pressed: bool) -> int:
        """Press or release the emergency stop; return when."""
        asked = time.time_ns()
        self._button.publish(Bool(data=pressed))
        return asked

    def ask(self, service: str) -> tuple[int, Any]:
        """Call a service of the station; return when, and the future of its answer."""
        asked = time.time_ns()
        return asked, self._services[service].call_async(Trigger.Request())

    def go_on(self) -> None:
        """Clear and arm after a stop."""
        for service in ("clear", "arm"):
            self.until(lambda service=service: self._granted(service), f"station/{service}")  # type: ignore[misc]

    def _granted(self, service: str) -> bool:
        _, answer = self.ask(service)
        self.until(answer.done, f"an answer of station/{service}")
        return bool(answer.result().success)

    def wait_for_services(self) -> None:
        """Wait until the station's services are there."""
        for name, client in self._services.items():
            if not client.wait_for_service(PATIENCE):
                raise AuthorityError(f"the service station/{name} did not appear")

    def start_episode(self) -> None:
        """Begin an episode without an end, unless one is running."""
        if self._result is not None and not self._result.done():
            return
        goal = RunEpisode.Goal(instruction=self._instruction, max_steps=1_000_000)
        sent = self._graph.client.send_goal_async(goal)
        self.until(sent.done, "the acceptance of an episode")
        handle: ClientGoalHandle = sent.result()
        self._handle, self._result = handle, handle.get_result_async()

    def end_episode(self) -> None:
        """Cancel the episode, unless it is over, and wait for its result."""
        if not self.episode_over():
            self._handle.cancel_goal_async()
            self.until(self.episode_over, "the end of an episode")

    def episode_over(self) -> bool:
        """Whether the last episode has a result."""
        return self._result is None or bool(self._result.done())

    def until(self, ready: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        """Wait until something is so; raises AuthorityError that names it, or what the graph died of."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not ready():
                self._graph.check()
                if time.monotonic() > deadline:
                    raise AuthorityError(f"waited {timeout:g} s for {what} (log: {self._graph.log})")
                self.changed.wait(0.005)

    def since(self, moment: int) -> list[ExecutedCommand]:
        """Return the commands written after a moment, in ns of the wall clock."""
        found = []
        for command in reversed(self.sent):
            if command.stamp <= moment:
                break
            found.append(command)
        return found[::-1]

    def before(self, moment: int) -> ExecutedCommand:
        """Return the last command written up to a moment."""
        return next(command for command in reversed(self.sent) if command.stamp <= moment)
