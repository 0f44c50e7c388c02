"""Whether commands keep a robot's limits, judged from the robot's file alone, without `sinew_core.safety`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

ROUNDING = 1e-9  # rad or m
BRAKES = ("floor", "workspace")  # reasons of what brakes as hard as it must, instead of going on


class LimitCheck:
    """Looks at every command sent, in order, and keeps a sentence for each that is beyond a limit.

    Velocity and acceleration are those of the target over whole control periods. After a stop the arm is
    taken to be at rest where it was measured.
    """

    def __init__(self, robot: Robot, period: float) -> None:
        self._robot, self._period = robot, period
        self._last: FloatArray | None = None
        self._velocity: FloatArray | None = None
        self.commands = 0
        self.beyond: list[str] = []

    def restart(self, position: FloatArray | None) -> None:
        """Take the arm to be at rest at `position` (n,)."""
        still = np.zeros(len(self._robot.home))
        if position is not None and np.shape(position) == np.shape(still):
            self._last, self._velocity = np.array(position), still

    def forget(self) -> None:
        """Know no longer where the arm is: the next command has none before it."""
        self._last = self._velocity = None

    def command(self, position: FloatArray, reasons: Sequence[str] = ()) -> None:
        """Judge one command (n,)."""
        self.commands += 1
        robot, names = self._robot, self._robot.joint_names
        if np.shape(position) != (len(names),) or not np.isfinite(position).all():
            self.beyond.append(f"not a finite position of {len(names)} joints: {position}")
            return
        outside = np.maximum(robot.lower - position, position - robot.upper)
        self._note("position", outside, 0 * outside)
        if self._last is not None:
            velocity = (position - self._last) / self._period
            self._note("velocity", np.abs(velocity), robot.velocity)
            if self._velocity is not None and not any(reason.startswith(BRAKES) for reason in reasons):
                change = np.abs(velocity - self._velocity) / self._period
                self._note("acceleration", change, robot.acceleration)
            self._velocity = velocity
        self._last = np.array(position)

    def _note(self, limit: str, values: FloatArray, allowed: FloatArray) -> None:
        over = values > allowed + ROUNDING + 1e-6 * allowed
        for joint in np.flatnonzero(over):
            name = self._robot.joint_names[joint]
            self.beyond.append(f"{limit} of {name}: {values[joint]:.6f}, {allowed[joint]:.6f} allowed")
