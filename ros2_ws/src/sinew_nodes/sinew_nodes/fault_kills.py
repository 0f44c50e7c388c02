"""Kills a process of a launched graph with SIGKILL, at a random moment of an episode, and looks on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sinew_core.authority import HUMAN, POLICY
from sinew_core.hardware import Hardware, Pace
from sinew_core.types import NANOSECONDS

from sinew_nodes.authority_client import AuthorityClient, AuthorityError
from sinew_nodes.fault_graph import MODELS, GraphEar, graph_arguments, graph_hardware
from sinew_nodes.fault_kinds import FaultKind
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_rig import MOVED, PATIENCE
from sinew_nodes.fault_sources import Trace
from sinew_nodes.fault_station import Culprit, Fault
from sinew_nodes.fault_trials import ALLOWED, Judge, Trial
from sinew_nodes.graph_process import GraphProcess, GraphProcessError, bringup
from sinew_nodes.launch_file import NodeSpec

STATION, TELEOP = "station_node", "teleop_node"
TARGETS = (
    *("perception_node", "affordance_node", "reward_node", "policy_node", TELEOP),
    *("recorder_node", "lifecycle_manager", STATION),
)
FELT = "the process is killed (in lockstep: is gone)"
LONG = 30  # rows of a policy that has much to do when it dies
QUIET = 0.5  # s without a command, after which a killed station is believed to be silent


@dataclass(frozen=True, slots=True)
class Kill:
    """What is killed, and in what graph."""

    target: str
    pace: Pace = "realtime"
    rows: int = 1  # of the policy's chunks

    @property
    def kind(self) -> FaultKind:
        """What is known of it beforehand."""
        names = (f"{self.target} ended with",) if self.target == STATION else ("the node has died",)
        driver = HUMAN if self.target == TELEOP else POLICY
        return FaultKind(f"kill_{self.target}", FELT, names, driver=driver, outside=True)


def draw_kills(count: int) -> list[Kill]:
    """Return kills of every target in turn, every fourth round of them in lockstep, where nobody drives."""
    kills = []
    for number in range(count):
        turn, target = number // len(TARGETS), TARGETS[number % len(TARGETS)]
        pace: Pace = "lockstep" if turn % 4 == 1 and target != TELEOP else "realtime"
        kills.append(Kill(target, pace, LONG if turn % 2 else 1))
    return kills


class KillStage:
    """One launched graph, for one kill."""

    def __init__(self, kill: Kill, folder: Path) -> None:
        self._kill = kill
        world = kill.pace == "lockstep"
        station = {"plugin": "sinew_core.fakes:FakeStation", "world": world}
        self.hardware = graph_hardware(folder, station, kill.pace)
        self.culprit = Culprit()
        policy = folder / "policy.yaml"
        policy.write_text(f"plugin: {MODELS}:Sway\nrows: {kill.rows}\n")
        arguments = graph_arguments(
            self.hardware, policy=str(policy), record="true", dataset=str(folder / "dataset")
        )
        specs = bringup(arguments) + ([teleop_spec(self.hardware)] if kill.target == TELEOP else [])
        self.graph = GraphProcess(specs, "faults")
        self.ear = GraphEar(self.graph, self.hardware, world=world)
        self.client = AuthorityClient(self.graph, self.hardware, "to and fro")
        self.graph.spin()

    @property
    def trace(self) -> Trace:
        """What was said."""
        return self.ear.trace

    def start(self) -> str:
        """Begin an episode and wait until the driver moves the arm; return what stands against it, or ''."""
        try:
            self.graph.wait_until_up()
            self.client.start_episode()
            self.client.until(lambda: self._moved(POLICY), "the policy")
            if self._kill.target == TELEOP:
                self._activate_teleop()
                self.client.until(lambda: self._moved(HUMAN), "the person")
        except (GraphProcessError, AuthorityError) as error:
            return str(error)
        return ""

    def _moved(self, source: str) -> bool:
        return sum(command.source == source for _, command in self.trace.commands) >= MOVED

    def _activate_teleop(self) -> None:
        client = self.graph.node.create_client(ChangeState, f"{TELEOP}/change_state")
        self.client.until(client.service_is_ready, TELEOP)
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            answer = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
            self.client.until(answer.done, f"a transition of {TELEOP}")

    def kill(self) -> None:
        """Kill."""
        process = self.graph.supervisor.pids()[self._kill.target]
        killed = time.monotonic_ns()
        os.kill(process, signal.SIGKILL)
        if self._kill.pace == "lockstep":
            while _lives(process):
                time.sleep(0.0001)
            killed = time.monotonic_ns()
        self.culprit.feel(killed)

    def until(self, ready: Callable[[], object], timeout: float) -> bool:
        """Wait until something is so; False if it is not within `timeout` s."""
        deadline = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def close(self) -> None:
        """End what is left of the graph."""
        self.graph.close()


def run_kill(kill: Kill, folder: Path, random: np.random.Generator) -> tuple[Trial, LimitCheck]:
    """Launch a graph, kill one of its processes in motion, and judge; also return who judged its commands."""
    stage = KillStage(kill, folder)
    try:
        problem = stage.start()
        if problem:
            stage.graph.failed = True
            trial = Trial(kill.kind.name, kill.pace, 0.0, "", f"no motion before the kill: {problem}")
        else:
            time.sleep(float(random.uniform(0, 8)) * stage.hardware.config.control_period)
            trial = _kill(kill, stage)
    finally:
        stage.close()
    return trial, stage.ear.limits


def _kill(kill: Kill, stage: KillStage) -> Trial:
    injected = time.monotonic_ns()
    stage.kill()
    if kill.target == STATION:
        return _judge_silence(kill, stage)
    judge = Judge(stage, kill.kind, Fault(kill.kind.name), injected)
    stage.until(judge.settled, PATIENCE)
    problem, reaction, said = judge.verdict()
    return Trial(kill.kind.name, kill.pace, reaction, said, problem)


def _judge_silence(kill: Kill, stage: KillStage) -> Trial:
    """A killed station commands nothing more, and whoever launched the graph is told its name."""
    time.sleep(QUIET)
    felt = stage.culprit.felt or 0
    period = stage.hardware.config.control_period
    last = max((at for at, _ in stage.trace.commands), default=felt)
    reaction = max(0.0, (last - felt) / NANOSECONDS / period)
    said = ""
    try:
        stage.graph.check()
    except GraphProcessError as error:
        said = str(error).partition(" (log")[0]
    stage.graph.failed = False
    trial = Trial(kill.kind.name, kill.pace, reaction, said)
    if not any(name in said for name in kill.kind.names):
        return replace(trial, problem=f"whoever launched the graph was told: {said!r}")
    return replace(trial, problem=f"took {reaction:.2f} periods") if reaction > ALLOWED else trial


def teleop_spec(hardware: Hardware) -> NodeSpec:
    """Return a teleoperation node as a process of its own, with a person who never lets go."""
    parameters = {
        "hardware": str(hardware.path),
        "task": "pick_place",
        "source": "sinew_nodes.bench_teleop:Nudge",
    }
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    return NodeSpec("sinew_nodes", "teleop_node", TELEOP, ("--ros-args", "-r", f"__node:={TELEOP}", *words))


def _lives(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
