"""The gripper under a person's hand: a toggle and a rate, ramped."""

from __future__ import annotations

from sinew_core.robot import Robot
from sinew_core.types import FloatArray


class GripperRamp:
    """Moves the gripper's target between open and closed in a given time, no faster than the robot may."""

    def __init__(self, robot: Robot, seconds: float, dt: float) -> None:
        self._robot, self._index = robot, robot.gripper_index
        span = abs(robot.gripper.open - robot.gripper.closed)
        self._step = min(1.0 / seconds, float(robot.velocity[self._index]) / span) * dt
        self._goal: float | None = None  # aperture that a toggle goes to
        self._asked = 0

    @property
    def busy(self) -> bool:
        """Whether a toggle is still on its way, or about to begin."""
        return self._goal is not None or self._asked > 0

    def toggle(self) -> None:
        """Close an open gripper, open a closed one; a second toggle turns a first one back."""
        self._asked += 1

    def stop(self) -> None:
        """Stay where the gripper is."""
        self._goal, self._asked = None, 0

    def step(self, position: FloatArray, rate: float) -> float:
        """Return the gripper's target one control period on from the targets (n,).

        `rate`, in [-1, 1], opens or closes by hand, as a share of full speed; it ends a toggle.
        """
        present = self._robot.aperture(position)
        if rate:
            self.stop()
            moved = present + max(-1.0, min(1.0, rate)) * self._step
            return self._robot.gripper_position(max(min(0.0, present), min(max(1.0, present), moved)))
        for _ in range(self._asked):
            opens = present < 0.5 if self._goal is None else self._goal == 0.0
            self._goal = 1.0 if opens else 0.0
        self._asked = 0
        if self._goal is None:
            return float(position[self._index])
        way = self._goal - present
        if abs(way) <= self._step:
            goal, self._goal = self._goal, None
            return self._robot.gripper_position(goal)
        return self._robot.gripper_position(present + (self._step if way > 0 else -self._step))
