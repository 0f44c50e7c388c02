"""A control loop between a station that misbehaves and sources that do, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sinew_core.authority import HUMAN, POLICY
from sinew_core.config import load_yaml
from sinew_core.hardware import Pace, find_hardware, load_hardware
from sinew_core.protocols import MotionState, SafeCommand
from sinew_core.safety import FilterChain
from sinew_core.types import JointCommand

from sinew_nodes.control_loop import ControlLoop
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_sources import Sources, Trace
from sinew_nodes.fault_station import Culprit, Fault, FaultyHardware
from sinew_nodes.mailbox import Goal, Mailbox
from sinew_nodes.parameters import StationParameters

PATIENCE = 5.0  # s
MOVED = 3  # commands, after which a source counts as driving
ANSWER_TIMEOUT = 0.7  # s that the policy may take
CAMERA = {"width": 96, "height": 72}  # px, as small as will do
ROOM = {"floor": -1.0, "workspace_lower": [-1.0, -1.0, -1.0], "workspace_upper": [1.0, 1.0, 1.5]}


def write_hardware(folder: Path, name: str, **changes: Any) -> Path:
    """Write the hardware file `name`, with small cameras and other fields as given, into a folder."""
    path = find_hardware(name)
    fields = load_yaml(path)
    fields["robot"] = str((path.parent / fields["robot"]).resolve())
    fields["cameras"] = {key: {**camera, **CAMERA} for key, camera in fields["cameras"].items()}
    written = folder / f"{name}_{len(list(folder.iterdir()))}.yaml"
    written.write_text(yaml.safe_dump({**fields, **changes}), encoding="utf-8")
    return written


def faulty_hardware(path: Path, pace: Pace, culprit: Culprit) -> FaultyHardware:
    """Load a hardware file whose station is to misbehave."""
    plain = load_hardware(str(path)).with_pace(pace)
    return FaultyHardware(plain.name, plain.path, plain.robot, plain.config, plain.cameras, culprit)


class SpoiltFilter:
    """A safety filter that fails on order."""

    def __init__(self, culprit: Culprit) -> None:
        self._culprit = culprit

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command, or nonsense."""
        fault = self._culprit.does("filter_nan")
        if fault is None:
            return SafeCommand(command)
        self._culprit.feel()
        position = command.position.copy()
        position[fault.joint] = np.nan
        return SafeCommand(replace(command, position=position))


class Rig:
    """Runs episodes one after the other; a loop that broke is opened anew, as its node would be."""

    def __init__(self, path: Path, pace: Pace, task: str, seed: int) -> None:
        self.culprit = Culprit(random=np.random.default_rng(seed))
        self.hardware = faulty_hardware(path, pace, self.culprit)
        self.limits = LimitCheck(self.hardware.robot, self.hardware.config.control_period)
        self._parameters = StationParameters(str(path), task, pace, answer_timeout=ANSWER_TIMEOUT)
        self._seed = seed
        self._open()

    def _open(self) -> None:
        self.mailbox = Mailbox()
        self.sources = Sources(self.hardware, self.mailbox, self.culprit, self.limits)
        self.loop = ControlLoop(self.hardware, self._parameters, self.mailbox, self.sources)
        self.loop.open()
        safety = self.loop.path.safety
        self.loop.path.safety = FilterChain([*safety.filters, SpoiltFilter(self.culprit)])
        self.limits.restart(self.hardware.opened[-1].arm.measured)
        self.mailbox.set_active(True)

    def close(self) -> None:
        """End the loop and the sources."""
        self.culprit.fault = None
        self.loop.halt()
        self.loop.close()
        self.sources.close()

    def until(self, ready: Callable[[], object], timeout: float = PATIENCE) -> bool:
        """Wait until something is so; False if it is not within `timeout` s."""
        with self.sources.changed:
            deadline = time.monotonic() + timeout
            while not ready():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.sources.changed.wait(min(left, 0.02))
        return True

    @property
    def trace(self) -> Trace:
        """What the loop has said since the episode was asked for."""
        return self.sources.trace

    def inject(self, fault: Fault) -> None:
        """Let a fault begin."""
        self.culprit.felt = None  # what the last one has left
        if fault.kind == "node_dead":
            self.culprit.feel()
            self.loop.distrust("policy_node", "the node has died")
        self.culprit.fault = fault

    def start_episode(self, rows: int, driver: str = POLICY) -> bool:
        """Begin an episode and wait until `driver` moves the arm."""
        self.sources.rows = rows
        trace = self.sources.begin()
        self._seed += 1
        goal = Goal(self._seed, "", 1_000_000, object())
        if not self.until(lambda: self.mailbox.offer_goal(goal)):
            return False

        def moved(source: str) -> bool:
            commands = [] if trace.way_home is None else trace.commands[trace.way_home :]
            return sum(command.source == source for _, command in commands) >= MOVED

        self.until(lambda: moved(POLICY) or trace.endings or trace.broke)
        if driver == HUMAN:
            self.sources.driving = True
            self.until(lambda: moved(HUMAN))
        return moved(driver)

    def recover(self) -> str:
        """End the fault and what it has led to; return what stands against going on, or ''."""
        self.culprit.fault, self.culprit.felt = None, None
        self.sources.driving = False
        if self.sources.trace.broke or not self.mailbox.active:
            self.close()
            self._open()
            return ""
        goal = self.mailbox.goal
        if goal is not None:
            self.mailbox.cancel(goal.token)
        if not self.until(lambda: self.mailbox.goal is None):
            return "the episode does not end"
        self.mailbox.forget_human()
        authority = self.loop.path.authority
        if authority.state.stopped and not self.until(lambda: not authority.clear() and not authority.arm()):
            return f"cannot be armed again: {authority.state.causes}"
        return ""
