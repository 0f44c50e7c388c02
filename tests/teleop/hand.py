"""A person's hand on a source: an ideal arm that goes where it is told, and a clock that goes along."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, JointState, Observation, Task
from sinew_policies.inverse_kinematics import TipPose, TipSolver
from sinew_teleop.source import TARGET, TeleopSource
from sinew_teleop.terminal import RawTerminal

TASK = Task("pick_place", "put the red cube in the blue bowl")


class FakeTime:
    """A clock that is moved by hand, in ns."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


@dataclass
class Hand:
    """Runs control periods of a source before an arm whose last command is `target`."""

    source: TeleopSource
    hardware: Hardware
    time: FakeTime
    target: np.ndarray
    chunks: list[ActionChunk] = field(default_factory=list)
    stamp: int = 5_000_000_000
    blocked: bool = False  # the arm stays where it is, whatever is sent

    def tick(self, count: int = 1) -> ActionChunk:
        """Let control periods pass; returns the last chunk."""
        for _ in range(count):
            chunk = self.source.infer(self.observation())
            assert chunk.stamp == self.stamp
            self.chunks.append(chunk)
            if len(chunk.position) and not self.blocked:
                self.target = chunk.position[-1].copy()
            self.stamp += self.hardware.period
            self.time.sleep(self.hardware.config.control_period)
        return self.chunks[-1]

    def observation(self) -> Observation:
        sagging = self.target + 0.01  # the measured joints: not what a source is to begin from
        joints = JointState(self.stamp, sagging, np.zeros_like(sagging))
        return Observation(self.stamp, joints, {}, {}, None, {TARGET: self.target.copy()}, TASK)

    @property
    def tip(self) -> np.ndarray:
        robot = self.hardware.robot
        return robot.chain.pose(robot.tip_link, self.target)[:3, 3]

    @property
    def pose(self) -> np.ndarray:
        robot = self.hardware.robot
        return robot.chain.pose(robot.tip_link, self.target)

    @property
    def aperture(self) -> float:
        return self.hardware.robot.aperture(self.target)


def hand_on(source: TeleopSource, hardware: Hardware, time: FakeTime) -> Hand:
    return Hand(source, hardware, time, above_table(hardware))


def above_table(hardware: Hardware) -> np.ndarray:
    """Joints with the tip well inside the workspace, from which every direction is open."""
    place = {"so101": [0.22, 0.0, 0.055], "fr3": [0.46, 0.0, 0.30]}[hardware.robot.name]
    pose = TipPose(np.array(place), -np.pi / 2)
    return TipSolver(hardware.robot).solve(pose, hardware.robot.home).position


@contextmanager
def keyboard_line() -> Iterator[tuple[int, RawTerminal]]:
    """A pseudo-terminal: the end that types, and the terminal at which is typed."""
    typing, seen = pty.openpty()
    terminal = RawTerminal(seen)
    terminal.open()
    try:
        yield typing, terminal
    finally:
        terminal.close()
        for end in (typing, seen):
            with suppress(OSError):
                os.close(end)
