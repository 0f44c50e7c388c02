"""What stands around a control path to measure it: a filter that is timed, an arm that is looked at."""

from __future__ import annotations

import time
from typing import Any

from sinew_core.protocols import Arm, MotionState, SafeCommand, SafetyFilter, World
from sinew_core.types import FloatArray, JointCommand, Task

LOOKS = 5  # at the measured arm, in a control period


class Timed:
    """A filter that remembers how long each call took, and what it said."""

    def __init__(self, wrapped: SafetyFilter) -> None:
        self._wrapped = wrapped
        self.seconds: list[float] = []  # on the wall clock
        self.cpu_seconds: list[float] = []  # of this thread, whatever else the machine is doing
        self.reasons: list[str] = []

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Ask the wrapped filter."""
        before, cpu_before = time.perf_counter(), time.thread_time()
        safe = self._wrapped.filter(command, state)
        self.cpu_seconds.append(time.thread_time() - cpu_before)
        self.seconds.append(time.perf_counter() - before)
        self.reasons += safe.reasons
        return safe


class Watched:
    """A station without cameras whose arm is looked at while its world advances."""

    def __init__(self, arm: Arm, world: World) -> None:
        self.arm, self._world = arm, world
        self.cameras: dict[str, Any] = {}
        self.looks: list[FloatArray] = []  # (n,) measured positions

    @property
    def world(self) -> Watched:
        """The world: this."""
        return self

    @property
    def stamp(self) -> int:
        """The simulated time, in ns."""
        return self._world.stamp

    def step(self, duration: int) -> None:
        """Advance, looking at the arm several times."""
        for _ in range(LOOKS):
            self._world.step(duration // LOOKS)
            self.looks.append(self.arm.read().position)

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Lay out a new scene."""
        return self._world.reset(seed, instruction)

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the same scene."""
        return self._world.ask(instruction)

    def success(self) -> bool:
        """Motions have no success."""
        return False

    def close(self) -> None:
        """Nothing to release: the station behind is its owner's."""
