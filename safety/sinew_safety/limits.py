"""What a control period's step may be under the robot's limits, as the joint-limit filter means them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

TOLERANCE = 1e-9  # rad or m, below which a change is rounding


@dataclass(frozen=True, slots=True)
class StepBounds:
    """The least and greatest step of every joint in one control period, (n,) rad or m."""

    lower: FloatArray
    upper: FloatArray
    stop: FloatArray  # within these, the step with which all joints come to rest at once and soonest

    @property
    def most(self) -> FloatArray:
        """The greatest size that a step of each joint can have, (n,)."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))

    def nearest(self, step: FloatArray) -> FloatArray:
        """Return the step (n,) within the bounds that is nearest to a given one."""
        return np.minimum(np.maximum(step, self.lower), self.upper)


@dataclass(frozen=True, slots=True)
class StepLimits:
    """The robot's limits as steps of one control period; rad or m.

    In lists and plain floats: for a handful of joints NumPy's overhead would be most of the work.
    """

    robot: Robot
    full: FloatArray  # (n,) at the velocity limits
    change: FloatArray  # (n,) by which a step may differ from the one before, at the acceleration limits
    _joints: list[tuple[float, float, float, float, float]]

    @classmethod
    def of(cls, robot: Robot, dt: float) -> StepLimits:
        """Return the limits at a control period of `dt` s."""
        full, change = robot.velocity * dt, robot.acceleration * dt**2
        braking = full * (np.ceil(full / change) + 1.0) / 2.0  # the way to a standstill, or a little more
        columns = (robot.lower, robot.upper, full, change, braking)
        return cls(robot, full, change, list(zip(*(column.tolist() for column in columns), strict=True)))

    def bounds(self, target: FloatArray, last: FloatArray) -> StepBounds:
        """Return the steps allowed at a target (n,) after the step `last` (n,).

        Within them the target can always stop, at the acceleration limit, at the position limits. Where
        the limits contradict one another, acceleration comes before velocity and position before both.
        """
        states = zip(self._joints, target.tolist(), last.tolist(), strict=True)
        least, most = zip(*(_joint_bounds(*joint, at, step) for joint, at, step in states), strict=True)
        periods = max(float((np.abs(last) / self.change).max()), 1.0)
        lower, upper = np.array(least), np.array(most)
        stop = np.minimum(np.maximum(last * (1.0 - 1.0 / periods), lower), upper)
        return StepBounds(lower, upper, stop)

    def reasons(self, target: FloatArray, wanted: FloatArray, bounds: StepBounds) -> list[str]:
        """Name the limits that a wanted step (n,) breaks, as `position|velocity|acceleration:<joint>`."""
        outside = (wanted < bounds.lower - TOLERANCE) | (wanted > bounds.upper + TOLERANCE)
        return [self._reason(int(i), target[i] + wanted[i], wanted[i]) for i in outside.nonzero()[0]]

    def _reason(self, joint: int, goal: float, step: float) -> str:
        robot = self.robot
        if not robot.lower[joint] - TOLERANCE <= goal <= robot.upper[joint] + TOLERANCE:
            kind = "position"
        elif abs(step) > self.full[joint] + TOLERANCE:
            kind = "velocity"
        else:
            kind = "acceleration"
        return f"{kind}:{robot.joint_names[joint]}"


def _joint_bounds(
    lower: float, upper: float, full: float, change: float, braking: float, at: float, last: float
) -> tuple[float, float]:
    """Return one joint's least and greatest step; at full speed, it stops within `braking`."""
    below, above = lower - at, upper - at
    least = -full if -below > braking else -min(full, stopping_step(max(-below, 0.0), change))
    most = full if above > braking else min(full, stopping_step(max(above, 0.0), change))
    least = min(max(least, last - change), last + change)
    most = min(max(most, last - change), last + change)
    return min(max(least, below), above), min(max(most, below), above)


def stopping_step(distance: float, change: float) -> float:
    """Return the longest step from which braking ends within `distance`, m or rad.

    A step may become shorter by at most `change` a period. Stopping from s takes
    s + (s - change) + ... while positive; for s = n change that is change n (n + 1) / 2, and linear in s
    between these.
    """
    n = math.floor((math.sqrt(1.0 + 8.0 * distance / change) - 1.0) / 2.0)
    return n * change + (distance - change * n * (n + 1) / 2.0) / (n + 1)
