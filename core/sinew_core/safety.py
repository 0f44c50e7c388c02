"""Safety filters: joint limits, and a floor and a box for the gripper's tip; pure, with named reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sinew_core.hardware import Hardware, SafetyConfig
from sinew_core.protocols import MotionState, SafeCommand, SafetyFilter
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointCommand

TOLERANCE = 1e-9  # rad or m, below which a change is rounding


@dataclass(frozen=True, slots=True)
class JointLimits:
    """Keeps position, velocity and acceleration of the target inside the robot's limits.

    The target moves so that it can always stop, at the acceleration limit, at the wanted position and
    at the position limits. It is limited against the last target sent, not against the measured
    position: a servo that sags by more than one step would otherwise walk away from its goal.
    """

    robot: Robot

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command moved inside the limits, with `position|velocity|acceleration:<joint>`."""
        robot, dt = self.robot, state.dt
        wanted = np.clip(command.position, robot.lower, robot.upper)
        distance = wanted - state.target
        ask = distance / dt
        fast = np.clip(ask, -robot.velocity, robot.velocity)
        stoppable = _stopping_speed(np.abs(distance), robot.acceleration, dt)
        able = np.clip(fast, -stoppable, stoppable)
        step = robot.acceleration * dt
        velocity = np.clip(able, state.velocity - step, state.velocity + step)
        position = np.clip(state.target + velocity * dt, robot.lower, robot.upper)
        reasons = (
            *self._named("position", wanted != command.position),
            *self._named("velocity", np.abs(fast - ask) * dt > TOLERANCE),
            *self._named("acceleration", np.abs(velocity - fast) * dt > TOLERANCE),
        )
        return SafeCommand(JointCommand(command.stamp, position), reasons)

    def _named(self, limit: str, bites: np.ndarray) -> list[str]:
        if not bites.any():
            return []
        return [f"{limit}:{name}" for name, bite in zip(self.robot.joint_names, bites, strict=True) if bite]


def _stopping_speed(distance: FloatArray, acceleration: FloatArray, dt: float) -> FloatArray:
    """Return the greatest speed from which braking in whole control periods ends within `distance`.

    Braking from v covers v dt + (v - a dt) dt + ... while positive. For v = n a dt that is
    a dt^2 n (n + 1) / 2, and linear in v between these.
    """
    unit = acceleration * dt**2
    n = np.floor((np.sqrt(1 + 8 * distance / unit) - 1) / 2)
    rest = distance - unit * n * (n + 1) / 2
    speed: FloatArray = n * acceleration * dt + rest / ((n + 1) * dt)
    return speed


@dataclass(frozen=True, slots=True)
class TipWorkspace:
    """Keeps the gripper's tip above a floor and inside a box, by forward kinematics.

    A command that would leave the space is cut back on the line from the last target; where the last
    target is already outside, only commands that do not lead further out pass.
    """

    robot: Robot
    config: SafetyConfig

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command or as much of it as stays inside, with the reason `floor` or `workspace`."""
        outside = self._depth(command.position)
        if outside.max() <= 0:
            return SafeCommand(command)
        allowed = max(0.0, float(self._depth(state.target).max()))
        if outside.max() <= allowed:
            return SafeCommand(command)
        inside, beyond = 0.0, 1.0
        for _ in range(12):
            middle = (inside + beyond) / 2
            point = state.target + middle * (command.position - state.target)
            inside, beyond = (middle, beyond) if self._depth(point).max() <= allowed else (inside, middle)
        position = state.target + inside * (command.position - state.target)
        reason = "floor" if outside.argmax() == 0 else "workspace"
        return SafeCommand(JointCommand(command.stamp, position), (reason,))

    def _depth(self, position: FloatArray) -> FloatArray:
        """Return how far outside each face the tip is, (7,) m: floor, lower faces, upper faces."""
        tip = self.robot.chain.pose(self.robot.tip_link, position)[:3, 3]
        box = self.config
        return np.concatenate(
            [
                [box.floor - tip[2]],
                np.subtract(box.workspace_lower, tip),
                np.subtract(tip, box.workspace_upper),
            ]
        )


@dataclass(frozen=True, slots=True)
class FilterChain:
    """Filters applied one after the other; their reasons add up."""

    filters: Sequence[SafetyFilter]

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command after every filter."""
        reasons: tuple[str, ...] = ()
        for member in self.filters:
            safe = member.filter(command, state)
            command, reasons = safe.command, reasons + safe.reasons
        return SafeCommand(command, reasons)


def default_filter(hardware: Hardware) -> FilterChain:
    """Return the filters that every station runs."""
    return FilterChain([JointLimits(hardware.robot), TipWorkspace(hardware.robot, hardware.config.safety)])
