"""Safety filters: joint limits, and a floor and a box for the gripper's tip; pure, with named reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sinew_core.errors import did_you_mean
from sinew_core.hardware import Hardware, SafetyConfig
from sinew_core.plugins import build
from sinew_core.protocols import AdjustableFilter, MotionState, SafeCommand, SafetyFilter
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointCommand

TOLERANCE = 1e-9  # rad or m, below which a change is rounding
SHARE_TOLERANCE = 1e-4  # rad or m, to which a command is cut back
NEAR = 1e-5  # m from a face of the workspace, as near as a cut-back command need come


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
        wanted = _clip(command.position, robot.lower, robot.upper)
        distance = wanted - state.target
        ask = distance / dt
        fast = _clip(ask, -robot.velocity, robot.velocity)
        stoppable = _stopping_speed(np.abs(distance), robot.acceleration, dt)
        able = _clip(fast, -stoppable, stoppable)
        step = robot.acceleration * dt
        velocity = _clip(able, state.velocity - step, state.velocity + step)
        position = _clip(state.target + velocity * dt, robot.lower, robot.upper)
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


def _clip(values: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """np.clip at a quarter of its cost for a handful of numbers; this runs in every control period."""
    return np.minimum(np.maximum(values, lower), upper)


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
        if max(outside) <= 0:
            return SafeCommand(command)
        slack = max(self._depth(state.target))
        if max(outside) <= slack:
            return SafeCommand(command)
        position = self._cut_back(state.target, command.position - state.target, slack, max(outside))
        reason = "floor" if outside[0] == max(outside) else "workspace"
        return SafeCommand(JointCommand(command.stamp, position), (reason,))

    def _cut_back(self, start: FloatArray, way: FloatArray, slack: float, excess: float) -> FloatArray:
        """Return the farthest point of the way that is no further outside than its start.

        `slack` and `excess` are how far outside start and end are, m. False position where the start is
        well inside, else halving.
        """
        allowed = max(0.0, slack)
        slack, excess = slack - allowed, excess - allowed
        inside, beyond, length = 0.0, 1.0, float(np.abs(way).max())
        while (beyond - inside) * length > SHARE_TOLERANCE:
            share = slack / (slack - excess) if slack < -NEAR else 0.5
            middle = inside + min(max(share, 0.05), 0.95) * (beyond - inside)
            over = max(self._depth(start + middle * way)) - allowed
            if over > 0:
                beyond, excess = middle, over
            else:
                inside, slack = middle, over
                if over > -NEAR:
                    break
        return start + inside * way

    def _depth(self, position: FloatArray) -> tuple[float, ...]:
        """Return how far outside each face the tip is, m: floor, lower faces, upper faces."""
        x, y, z = self.robot.chain.point(self.robot.tip_link, position)
        box = self.config
        (x0, y0, z0), (x1, y1, z1) = box.workspace_lower, box.workspace_upper
        return box.floor - z, x0 - x, y0 - y, z0 - z, x - x1, y - y1, z - z1


@dataclass(frozen=True, slots=True)
class FilterChain:
    """Filters applied one after the other; their reasons and their parameters add up."""

    filters: Sequence[SafetyFilter]

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command after every filter."""
        reasons: tuple[str, ...] = ()
        for member in self.filters:
            safe = member.filter(command, state)
            command, reasons = safe.command, reasons + safe.reasons
        return SafeCommand(command, reasons)

    def parameters(self) -> dict[str, float]:
        """Return what may be changed while running, by name."""
        return {name: value for member in self._adjustable() for name, value in member.parameters().items()}

    def set_parameter(self, name: str, value: float) -> None:
        """Change a parameter, from any thread; ValueError for an unknown name or a value out of range."""
        for member in self._adjustable():
            if name in member.parameters():
                member.set_parameter(name, value)
                return
        raise ValueError(f"unknown parameter '{name}'.{did_you_mean(name, self.parameters())}")

    def _adjustable(self) -> list[AdjustableFilter]:
        return [member for member in self.filters if isinstance(member, AdjustableFilter)]


def default_filter(hardware: Hardware) -> FilterChain:
    """Return the filters that every station runs, then those that its hardware file adds."""
    robot, config = hardware.robot, hardware.config.safety
    extra = [
        build(spec, SafetyFilter, f"{hardware.path}: safety.filters[{i}]", hardware=hardware, robot=robot)
        for i, spec in enumerate(config.filters)
    ]
    return FilterChain([JointLimits(robot), TipWorkspace(robot, config), *extra])
