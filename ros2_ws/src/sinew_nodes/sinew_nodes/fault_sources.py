"""The graph around a control loop, in one thread: it hears everything, answers, and lets things go wrong."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from sinew_core.authority import HUMAN, POLICY, Authority
from sinew_core.hardware import Hardware, due_cameras
from sinew_core.types import (
    NANOSECONDS,
    ActionChunk,
    Affordance,
    CameraFrame,
    ExecutedCommand,
    FloatArray,
    JointState,
    Observation,
    RewardEstimate,
    Task,
)

from sinew_nodes.assembly import JOINTS, Assembler, LockstepAssembler, RealtimeAssembler
from sinew_nodes.bench_models import Sway, SwayConfig
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_station import Culprit, Fault, FaultyHardware
from sinew_nodes.mailbox import Goal, Mailbox
from sinew_nodes.outlet import Ending

T = TypeVar("T")
LOSS = 0.3  # of the messages, where messages are dropped
TASK = Task("sway", "to and fro")


@dataclass(slots=True)
class Trace:
    """What a control loop has said since the trace was begun, each with its ns of the monotonic clock."""

    commands: list[tuple[int, ExecutedCommand]] = field(default_factory=list)
    changes: list[tuple[int, Authority]] = field(default_factory=list)
    endings: list[tuple[int, Ending]] = field(default_factory=list)
    observed: list[tuple[int, int]] = field(default_factory=list)  # and the stamp of the joints
    sound: dict[str, ActionChunk] = field(default_factory=dict)  # the last one handed in, by source
    broke: list[str] = field(default_factory=list)
    way_home: int | None = None  # commands before the episode; None: it has not begun


class Sources:
    """A policy that sways, and a person who drives on request; an `Outlet`.

    The sources work in a thread of their own, as they do in the graph.
    """

    def __init__(
        self, hardware: FaultyHardware, mailbox: Mailbox, culprit: Culprit, limits: LimitCheck
    ) -> None:
        self._hardware, self._mailbox, self._culprit, self._limits = hardware, mailbox, culprit, limits
        self._policies = {rows: Sway(SwayConfig(rows), hardware.robot, hardware) for rows in (1, 12)}
        self._assembler = _assembler(hardware)
        self._inbox: queue.SimpleQueue[tuple[str, int, object] | None] = queue.SimpleQueue()
        self._stops, self._resting = 0, True
        self._target: FloatArray = hardware.robot.home
        self.changed = threading.Condition()
        self.trace = Trace()
        self._behind: ActionChunk | None = None  # to be overtaken
        self.driving = False  # whether the person does
        self.rows = 1  # of the policy's chunks
        self._thread = threading.Thread(target=self._work, name="sources", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._inbox.put(None)
        self._thread.join(timeout=2.0)

    def begin(self) -> Trace:
        """Begin a new trace."""
        self.trace = Trace()
        return self.trace

    # The outlet: what the loop says, in its thread.

    def observed(self, joints: JointState, *, simulated: bool) -> None:
        """Take joints."""
        self.trace.observed.append((time.monotonic_ns(), joints.stamp))
        self._inbox.put((JOINTS, joints.stamp, joints))

    def captured(self, name: str, frame: CameraFrame) -> None:
        """Take a frame."""
        self._inbox.put((name, frame.stamp, frame))

    def wanted(self, name: str) -> bool:
        """Nobody wants more frames."""
        return False

    def rewarded(self) -> bool:
        """Nobody grades."""
        return False

    def executed(self, command: ExecutedCommand, written: int, episode: int) -> None:
        """Judge a command by the limits, and keep it."""
        arm = self._hardware.opened[-1].arm
        if arm.stops != self._stops or self._resting:
            self._limits.restart(arm.measured)
        self._stops, self._resting = arm.stops, arm.written is None
        if arm.written is not None:
            self._limits.command(arm.written, command.reasons)
            if not np.array_equal(arm.written, command.position):
                self._limits.beyond.append(f"sent {arm.written}, said {command.position}")
        self._target = command.position
        self._say(self.trace.commands, command)

    def owned(self, state: Authority, took: float, stamp: int) -> None:
        """Keep a change of authority."""
        self._say(self.trace.changes, state)

    def read(self, seconds: float) -> None:
        """Of no interest."""

    def overran(self, seconds: float) -> None:
        """Of no interest."""

    def started(self, episode: int, start: int, task: Task, seed: int) -> None:
        """Answer with an affordance at once; the path to the arm begins from where it is measured."""
        self.trace.way_home = len(self.trace.commands)
        arm = self._hardware.opened[-1].arm
        self._limits.restart(arm.measured)
        self._stops, self._resting = arm.stops, False
        self._inbox.put(("", start, None))
        nowhere = np.zeros((1, 3))
        answer = Affordance(start, task.instruction, None, nowhere, None, "sources", np.zeros(1, bool))
        self._mailbox.put_answer(episode, answer)

    def progressed(self, goal: Goal, steps: int, reward: RewardEstimate | None) -> None:
        """Of no interest."""

    def ended(self, goal: Goal, episode: int, stamp: int, task: Task, ending: Ending, steps: int) -> None:
        """Keep how the episode ended."""
        self._say(self.trace.endings, ending)

    def broke(self, error: Exception) -> None:
        """Keep why the loop gave up."""
        self.trace.broke.append(str(error))

    def _say(self, kept: list[tuple[int, T]], what: T) -> None:
        with self.changed:
            kept.append((time.monotonic_ns(), what))
            self.changed.notify_all()

    # The sources, in their own thread.

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            name, stamp, part = item
            if not name:
                self._assembler.begin(stamp)
                continue
            if name == JOINTS and self.driving:
                self._drive(stamp)
            self._take(name, stamp, part)

    def _take(self, name: str, stamp: int, part: object) -> None:
        kind = "drop_joints" if name == JOINTS else "drop_frames"
        if self._lost(kind) or not self._assembler.add(name, stamp, part):
            return
        while (parts := self._assembler.take()) is not None:
            observation = Observation(parts.joints.stamp, parts.joints, {}, {}, None, {}, TASK)
            self._hand_in(POLICY, self._policies[self.rows].infer(observation))

    def _drive(self, stamp: int) -> None:
        row = self._target + 0.1 * self._hardware.config.control_period
        self._hand_in(HUMAN, ActionChunk(stamp, self._hardware.config.control_period, row[None]))

    def _hand_in(self, source: str, chunk: ActionChunk) -> None:
        culprit = self._culprit
        if culprit.does(f"{source}_silent") or (source == POLICY and self._lost("drop_chunks")):
            return
        if source == POLICY and self._overtaken(chunk):
            return
        fault = culprit.fault
        spoilt = None if fault is None else spoil(source, chunk, fault, self._hardware, culprit.random)
        if spoilt is None:
            self.trace.sound[source] = chunk
        else:
            culprit.feel()
        self._mailbox.put_chunk(source, chunk if spoilt is None else spoilt)

    def _overtaken(self, chunk: ActionChunk) -> bool:
        """Keep every other chunk back until the next one has been handed in."""
        if self._culprit.does("policy_reordered") is None:
            self._behind = None
            return False
        if self._behind is None:
            self._behind = chunk
        else:
            self._culprit.feel()
            behind, self._behind = self._behind, None
            for late in (chunk, behind):
                self._mailbox.put_chunk(POLICY, late)
        return True

    def _lost(self, kind: str) -> bool:
        return self._culprit.does(kind) is not None and self._culprit.random.random() < LOSS


def spoil(
    source: str, chunk: ActionChunk, fault: Fault, hardware: Hardware, random: np.random.Generator
) -> ActionChunk | None:
    """Return the chunk as a fault of its source leaves it, or None if the fault is none of these."""
    rows, joint = chunk.position.copy(), fault.joint
    if fault.kind == f"{source}_nan":
        rows[random.integers(len(rows)), joint] = random.choice([np.nan, np.inf, -np.inf])
        return replace(chunk, position=rows)
    if fault.kind == f"{source}_jump":
        rows[:, joint] += fault.amount * hardware.robot.velocity[joint]
        return replace(chunk, position=rows)
    if fault.kind == f"{source}_shape":
        return [
            replace(chunk, position=rows[:, :-1]),
            replace(chunk, position=rows[0]),
            replace(chunk, dt=0.0),
            replace(chunk, dt=float("nan")),
            replace(chunk, dt=1e-12),
        ][int(random.integers(5))]
    if fault.kind == f"{source}_past":
        return replace(chunk, stamp=chunk.stamp - round(fault.amount * NANOSECONDS))
    if fault.kind == f"{source}_future":
        return replace(chunk, stamp=chunk.stamp + round(fault.amount * NANOSECONDS))
    return None


def _assembler(hardware: Hardware) -> Assembler:
    cameras = {name: camera for name, camera in hardware.config.cameras.items() if camera.every}

    def wanted(index: int) -> list[str]:
        return due_cameras(cameras, index)

    if hardware.config.pace == "lockstep":
        return LockstepAssembler(wanted, hardware.period)
    return RealtimeAssembler(wanted, hardware.period, round(hardware.config.max_age * NANOSECONDS))
