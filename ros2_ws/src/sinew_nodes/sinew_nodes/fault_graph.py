"""A launched graph into which faults are put: devices fail on order, the person errs, the policy hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sensor_msgs.msg import JointState
from sinew_core.authority import HOLD, HUMAN, POLICY, STOPPED, Authority, Cause
from sinew_core.hardware import Hardware, Pace, load_hardware
from sinew_core.types import ActionChunk, ExecutedCommand
from sinew_msgs.msg import Authority as AuthorityMsg
from sinew_msgs.msg import EpisodeEvent
from sinew_msgs.msg import ExecutedCommand as ExecutedCommandMsg
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.authority_client import AuthorityClient, AuthorityError
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_orders import give_order, read_felt
from sinew_nodes.fault_rig import MOVED, PATIENCE, ROOM, write_hardware
from sinew_nodes.fault_sources import Trace, spoil
from sinew_nodes.fault_station import Culprit, Fault
from sinew_nodes.graph_process import GraphProcess, GraphProcessError, bringup
from sinew_nodes.outlet import Ending

MODELS = "sinew_nodes.bench_models"


class GraphEar:
    """Keeps what a launched graph says as a trace, and judges its commands."""

    def __init__(self, graph: GraphProcess, hardware: Hardware, *, world: bool) -> None:
        self._names, self._world = hardware.robot.joint_names, world
        pace = hardware.config.pace
        self.limits = LimitCheck(hardware.robot, hardware.config.control_period)
        self._episode = 0
        self._owned = (0, 0)  # ns: when the last change of owner was heard of, and its stamp
        self.trace = Trace()
        graph.listen(ExecutedCommandMsg, "executed_command", self._on_executed, qos.event())
        graph.listen(AuthorityMsg, "authority", self._on_authority, qos.latched())
        graph.listen(EpisodeEvent, "episode", self._on_episode, qos.latched())
        graph.listen(JointTrajectory, "policy/chunk", self._on_chunk, qos.command(pace))
        graph.listen(JointState, "joint_states", self._on_joints, qos.sensor(pace))

    def _on_executed(self, message: ExecutedCommandMsg) -> None:
        command = convert.executed_from_msg(message)
        if command.source == STOPPED or message.episode != self._episode:
            self.limits.forget()  # the target begins from where the arm was measured
        self._episode = message.episode
        if command.source != STOPPED:
            self.limits.command(command.position, command.reasons)
        self.trace.commands.append((self._when(command), command))

    def _when(self, command: ExecutedCommand) -> int:
        """Return when a command was written, or heard of where only a simulator's time is known.

        One topic may overtake another: a command of before a change of owner counts as heard before it.
        """
        now = time.monotonic_ns()
        if not self._world:
            return command.stamp - time.time_ns() + now
        heard, stamp = self._owned
        return heard - 1 if command.stamp <= stamp else now

    def _on_authority(self, message: AuthorityMsg) -> None:
        causes, holds = ([Cause("", text) for text in texts] for texts in (message.causes, message.holds))
        state = Authority(message.owner, message.previous, message.reason, tuple(causes), tuple(holds))
        self._owned = (time.monotonic_ns(), convert.header_stamp(message))
        self.trace.changes.append((self._owned[0], state))

    def _on_episode(self, event: EpisodeEvent) -> None:
        if event.kind == EpisodeEvent.ENDED:
            self.trace.endings.append((time.monotonic_ns(), Ending(event.outcome, event.message)))

    def _on_chunk(self, message: JointTrajectory) -> None:
        self.trace.sound[POLICY] = convert.chunk_from_msg(message, self._names)

    def _on_joints(self, message: JointState) -> None:
        self.trace.observed.append((time.monotonic_ns(), convert.header_stamp(message)))


class Hand(AuthorityClient):
    """A person whose commands are spoilt on request, and who may have a rival."""

    def __init__(self, graph: GraphProcess, hardware: Hardware, culprit: Culprit, ear: GraphEar) -> None:
        super().__init__(graph, hardware, "to and fro")
        self._culprit, self._ear = culprit, ear
        self._rival = graph.node.create_publisher(JointTrajectory, "human/chunk", qos.command("realtime"))

    def publish(self, chunk: ActionChunk) -> None:
        """Publish a chunk as the present fault leaves it."""
        culprit, fault = self._culprit, self._culprit.fault
        if culprit.does("human_silent") and len(chunk.position):
            return
        if culprit.does("rivals"):
            culprit.feel()
            self._rival.publish(convert.chunk_to_msg(chunk, self._names))
        spoilt = None
        if fault is not None and len(chunk.position):
            spoilt = spoil(HUMAN, chunk, fault, self._hardware, culprit.random)
        if spoilt is not None:
            culprit.feel()
        elif len(chunk.position):
            self._ear.trace.sound[HUMAN] = chunk
        super().publish(chunk if spoilt is None else spoilt)


class GraphStage:
    """A launched graph with stations and persons that fail on order; a `Stage`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        station = {"plugin": "sinew_nodes.fault_orders:OrderedStation", "folder": str(folder)}
        self.hardware = graph_hardware(folder, station)
        self.culprit = Culprit(random=np.random.default_rng(seed))
        give_order(folder, None)
        policy = folder / "policy.yaml"
        policy.write_text(f"plugin: {MODELS}:Sway\nrows: 12\n")
        self.graph = GraphProcess(bringup(graph_arguments(self.hardware, policy=str(policy))), "faults")
        self.ear = GraphEar(self.graph, self.hardware, world=False)
        self._hand = Hand(self.graph, self.hardware, self.culprit, self.ear)
        self.graph.spin()
        self.graph.wait_until_up()
        self._hand.wait_for_services()

    @property
    def trace(self) -> Trace:
        """What was said since the episode was asked for."""
        return self.ear.trace

    @property
    def limits(self) -> LimitCheck:
        """The judge of every command."""
        return self.ear.limits

    def _feel(self) -> None:
        felt = read_felt(self._folder)
        if felt is not None:
            self.culprit.feel(felt)

    def close(self) -> None:
        """End the graph."""
        self.graph.close()

    def start_episode(self, rows: int, driver: str) -> bool:
        """Begin an episode and wait until `driver` moves the arm."""
        self.ear.trace = Trace()
        self._hand.start_episode()
        if not self.until(lambda: self._moved(POLICY), 2 * PATIENCE):
            return False
        if driver == HUMAN:
            self._hand.take_over()
            return self.until(lambda: self._moved(HUMAN), PATIENCE)
        return True

    def _moved(self, source: str) -> bool:
        """Whether a source drives and has been heard to: transport finds one topic before another."""
        heard = source in self.ear.trace.sound
        return heard and sum(command.source == source for _, command in self.ear.trace.commands) >= MOVED

    def inject(self, fault: Fault) -> None:
        """Let a fault begin."""
        self.culprit.fault = fault
        if fault.kind == "policy_hung":
            os.kill(self.graph.supervisor.pids()["policy_node"], signal.SIGSTOP)
        elif fault.kind.partition("_")[0] in ("camera", "joints", "write", "clock"):
            give_order(self._folder, fault)

    def until(self, ready: Callable[[], object], timeout: float) -> bool:
        """Wait until something is so; False if it is not within `timeout` s."""
        deadline = time.monotonic() + timeout
        while not ready():
            self._feel()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        self._feel()
        return True

    def recover(self) -> str:
        """End the fault and what it has led to; return what stands against going on, or ''."""
        if self.culprit.does("policy_hung"):
            os.kill(self.graph.supervisor.pids()["policy_node"], signal.SIGCONT)
        self.culprit.fault = None
        give_order(self._folder, None)
        try:
            self._hand.give_back()
            self._hand.end_episode()
            self._hand.until(lambda: self._hand.sent[-1].source in (HOLD, STOPPED), "a hold")
            if self._hand.sent[-1].source == STOPPED:
                self._hand.go_on()
                self._hand.until(lambda: self._hand.sent[-1].source == HOLD, "a hold")
        except (AuthorityError, GraphProcessError) as error:
            return str(error)
        finally:
            give_order(self._folder, None)
            self.culprit.felt = None
        return ""


def graph_hardware(folder: Path, station: Mapping[str, Any], pace: Pace = "realtime") -> Hardware:
    """Return hardware of which everything but the graph itself costs little."""
    blind = {"plugin": f"{MODELS}:Blind"}
    path = write_hardware(folder, "synthetic", station=station, perception=blind, safety=ROOM, pace=pace)
    return load_hardware(str(path))


def graph_arguments(hardware: Hardware, **more: str) -> dict[str, str]:
    """Return the launch arguments of a graph with models that cost little."""
    models = {"policy": "Sway", "affordance": "Anywhere", "reward": "Indifferent"}
    named = {kind: f"{MODELS}:{name}" for kind, name in models.items()}
    return {"hardware": str(hardware.path), "task": "pick_place", "log_level": "warn", **named, **more}
