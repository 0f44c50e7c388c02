"""A person's hand on the arm: joints in, the device's chunks out, stops and marks to the station."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.runtime import guarded
from sinew_core.types import ActionChunk, Observation
from sinew_msgs.msg import Affordance, Authority, EpisodeEvent, ExecutedCommand, Keypoints
from sinew_teleop.event_keys import EventKeyReader
from sinew_teleop.source import KeyTaker, TeleopEvent, TeleopSource, make_source
from sinew_teleop.terminal import RawTerminal, open_terminal
from std_msgs.msg import Bool
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.claim import Claim
from sinew_nodes.component_node import ComponentNode, run_node
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.parameters import TeleopParameters
from sinew_nodes.teleop_inputs import open_inputs
from sinew_nodes.teleop_services import SERVICES, StationServices
from sinew_nodes.teleop_situation import Situation
from sinew_nodes.teleop_view import TeleopView

REFUSED = "refused:human"
LATE = f"{REFUSED}: stamp"  # one command that came too late is nothing to let go for
DIAGNOSTICS = QoSProfile(depth=20)  # as they are offered, of every node
NEWEST = qos.command("realtime")  # of what is published with a history: only what comes from now on


class TeleopNode(ComponentNode[TeleopParameters]):
    """Asks the source at each arrival of joints, and gives control back as soon as it wants nothing.

    `on_event` is called in the executor's thread with what the person says to whoever hosts the node:
    the next episode, quit, help.
    """

    Parameters = TeleopParameters

    def __init__(self) -> None:
        super().__init__("teleop_node")
        self._claim = Claim(self, "teleop")
        self.on_event: Callable[[TeleopEvent], None] = self._unhosted
        self._source: TeleopSource | None = None
        self._keys: EventKeyReader | None = None
        self.terminal: RawTerminal | None = None
        self._commanding = self._suspended = False
        self._said, self._said_well, self._said_at = "", True, 0.0

    def setup(self) -> None:
        """Open the device, be the only one, and subscribe."""
        hardware = hardware_for(self.parameters)
        if hardware.config.pace == "lockstep":
            raise ConfigError(
                "a person cannot drive in lockstep, where time waits for the policy: give pace:=realtime."
            )
        if self.parameters.rate <= 0:
            raise ConfigError(f"parameter rate: expected a positive number, got {self.parameters.rate}.")
        self._hardware, self._names = hardware, hardware.robot.joint_names
        self._claim.settle()
        self.view = TeleopView(hardware, self.parameters.task)
        self._source = self._open_source(hardware)
        self._chunks = self.create_publisher(JointTrajectory, "human/chunk", qos.command("realtime"))
        self._stop = self.create_publisher(Bool, "human/stop", qos.event())
        self._station = StationServices(self, self._on_answer)
        self._listen_to_graph()
        open_inputs(self, self._source, self._refuse)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(1.0 / self.parameters.rate, self._look, clock=steady)

    def start(self) -> None:
        """Let go of whatever was held before; drive from here on."""
        if self._source is not None:
            self._source.events()  # typed while the graph came up
        self._let_go()
        self._publish_nothing()

    def halt(self) -> None:
        """Give control back."""
        if self._source is not None:
            self._publish_nothing()

    def teardown(self) -> None:
        """Close the device and the terminal."""
        source, self._source = self._source, None
        if source is not None:
            source.close()
        if self.terminal is not None:
            self.terminal.close()

    def announce(self, error: BaseException) -> None:
        """Tell the graph of a failure, but not of a hand that is refused: whoever drives goes on driving."""
        if isinstance(error, ConfigError):
            self.meter.error = str(error)
        else:
            super().announce(error)

    def suspend(self) -> None:
        """Give control back until `resume`; callable from any thread, even from a signal's handler."""
        self._suspended = True
        self.halt()

    def resume(self) -> None:
        """Go on after `suspend`, with nothing held."""
        self._suspended = False
        self.post(self._let_go)

    def situation(self) -> Situation:
        """Return what there is to see; callable from any thread."""
        source = self._source
        return replace(
            self.view.situation(),
            status="" if source is None else source.status,
            help="\n".join(part.help for part in (source, self._keys) if part is not None),
            said=self._said,
            said_well=self._said_well,
            said_age=time.monotonic() - self._said_at,
        )

    def say(self, sentence: str, *, well: bool = True) -> None:
        """Show a sentence."""
        self._said, self._said_well, self._said_at = sentence, well, time.monotonic()

    def _open_source(self, hardware: Hardware) -> TeleopSource:
        source = make_source(self.parameters.source, hardware)
        if getattr(source, "owns_terminal", False):
            self.terminal = source.terminal  # type: ignore[attr-defined]
        elif sys.stdin is not None and sys.stdin.isatty():
            self.terminal = open_terminal()
            self._keys = EventKeyReader(self.terminal)
        return source

    def _listen_to_graph(self) -> None:
        view, sensor = self.view, qos.sensor("realtime")
        self.listen(JointStateMsg, "joint_states", self._on_joints, sensor)
        self.listen(Keypoints, "keypoints", view.on_keypoints, sensor)
        self.listen(ExecutedCommand, "executed_command", self._on_executed, NEWEST)
        self.listen(Affordance, "affordance", view.on_affordance, qos.latched())
        self.listen(EpisodeEvent, "episode", self._on_episode, qos.latched())
        self.listen(Authority, "authority", view.on_authority, qos.latched())
        self.listen(DiagnosticArray, "/diagnostics", view.on_diagnostics, DIAGNOSTICS)

    def _on_joints(self, message: JointStateMsg) -> None:
        observation = self.view.observe(message)
        if observation is None:
            self.meter.counts["stamps_from_the_past"] += 1
        elif self.active and not self._suspended:
            self._drive(observation)

    def _drive(self, observation: Observation) -> None:
        started = time.perf_counter()
        assert self._source is not None
        chunk = guarded(self._source, self._source.infer, observation)
        if len(chunk.position):
            self._chunks.publish(convert.chunk_to_msg(chunk, self._names))
            self._commanding = True
        elif self._commanding:
            self._publish_nothing()
        self._look()
        self.meter.done(time.perf_counter() - started, observation.stamp)

    def _publish_nothing(self) -> None:
        """Give control back: a chunk without rows."""
        self._commanding = False
        nothing = ActionChunk(
            self.view.stamp, self._hardware.config.control_period, np.zeros((0, len(self._names)))
        )
        self._chunks.publish(convert.chunk_to_msg(nothing, self._names))

    def _let_go(self) -> None:
        if self._source is not None:
            guarded(self._source, self._source.reset, self.view.task)

    def _on_executed(self, message: ExecutedCommand) -> None:
        """Take the last command sent; where the station refuses the person's, begin anew from there."""
        self.view.on_executed(message)
        refused = [reason for reason in message.reasons if reason.startswith(REFUSED)]
        if refused and self._commanding and not refused[0].startswith(LATE):
            self.say(refused[0], well=False)
            self._let_go()

    def _on_episode(self, event: EpisodeEvent) -> None:
        self.view.on_episode(event)
        self._let_go()

    def _look(self) -> None:
        """Hear what the person has said."""
        if not self.active or self._suspended or self._source is None:
            return
        try:
            said = guarded(self._source, self._source.events)
            if self._keys is not None:
                events, keys = self._keys.poll()
                said += events
                if isinstance(self._source, KeyTaker):
                    for key in keys:
                        self._source.take_key(key)
        except Exception as error:  # noqa: BLE001 - the node's boundary
            self.fail(error)
            return
        for event in said:
            self._act(event)
        self._station.watch()

    def _act(self, event: TeleopEvent) -> None:
        if event is TeleopEvent.STOP:
            self._stop.publish(Bool(data=True))  # needs no service to be found
            self._let_go()
            self._publish_nothing()
        if event in SERVICES:
            self._station.ask(event)
        else:
            self.on_event(event)

    def _on_answer(self, event: TeleopEvent, done: bool, sentence: str) -> None:
        self.say(f"{event.value}: {sentence or ('done' if done else 'refused')}", well=done)
        if not done:
            self.get_logger().warning(self._said)

    def _unhosted(self, event: TeleopEvent) -> None:
        if event is TeleopEvent.QUIT:
            self.get_logger().info("the person has gone; control is given back")
            self.trigger_deactivate()

    def _refuse(self, sentence: str) -> None:
        self.say(sentence, well=False)
        self.get_logger().warning(sentence, throttle_duration_sec=1.0)


def main() -> int:
    """Run the node; at a terminal `sinew teleop --join` does more: it shows a screen and runs episodes."""
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # suspended, nobody would give the terminal back
    return run_node(TeleopNode)


if __name__ == "__main__":
    sys.exit(main())
