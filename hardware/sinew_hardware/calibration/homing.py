"""Homing of servos: from both ends of each joint's travel to the offset that its servo is to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.kinematics import read_urdf
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_joints import ServoJoints
from sinew_hardware.arms.servo_table import TURN, ServoTable

SHORT = 0.06  # share of its travel that a joint may lack, or have too much of


@dataclass(frozen=True, slots=True)
class Homing:
    """What came of one joint."""

    joint: str
    servo: int
    offset: int  # ticks, for the servo's memory
    travel: float  # share of the joint's travel that was seen


class Sweep:
    """Follows encoders while a hand moves the joints, and keeps how far each of them got; (n,) ticks.

    An encoder that passes its end begins anew at zero: readings are joined up by the shorter way.
    """

    def __init__(self, encoder: FloatArray) -> None:
        self._now = encoder.copy()
        self.low, self.high = encoder.copy(), encoder.copy()

    def add(self, encoder: FloatArray) -> None:
        """Take a reading; between two of them no joint may turn by half a turn."""
        step = (encoder - self._now + TURN / 2) % TURN - TURN / 2
        self._now = self._now + step
        self.low, self.high = np.minimum(self.low, self._now), np.maximum(self.high, self._now)


def stops(robot: Robot) -> tuple[FloatArray, FloatArray]:
    """Return the ends of each joint's travel, as its URDF has them: (n,) and (n,), rad or m."""
    limits = {joint.name: joint.limits for joint in read_urdf(robot.urdf)}
    ends = np.array([limits[name] for name in robot.joint_names])
    return ends[:, 0], ends[:, 1]


def travels(robot: Robot, joints: ServoJoints, sweep: Sweep) -> FloatArray:
    """Return which share of each joint's travel was seen, (n,)."""
    lower, upper = stops(robot)
    whole = np.abs(np.subtract(joints.ticks(upper), joints.ticks(lower)))
    shares: FloatArray = (sweep.high - sweep.low) / whole
    return shares


def home(robot: Robot, joints: ServoJoints, table: ServoTable, sweep: Sweep) -> list[Homing]:
    """Return the offsets with which the middle of each joint's travel is where its URDF has it.

    Raises ConfigError that names every joint that was not moved to both ends, or moves further than its
    URDF allows: it is then another joint, or another robot.
    """
    shares = travels(robot, joints, sweep)
    _check(joints.names, shares)
    lower, upper = stops(robot)
    middle = np.add(joints.ticks(lower), joints.ticks(upper)) / 2
    shift = middle - (sweep.low + sweep.high) / 2
    shift = (shift + TURN / 2) % TURN - TURN / 2
    offsets = [round(table.offset_sign * float(ticks)) for ticks in shift]
    return [
        Homing(name, servo, offset, float(share))
        for name, servo, offset, share in zip(joints.names, joints.ids, offsets, shares, strict=True)
    ]


def _check(names: Sequence[str], shares: FloatArray) -> None:
    short = [f"{n} ({100 * s:.0f} %)" for n, s in zip(names, shares, strict=True) if s < 1 - SHORT]
    if short:
        raise ConfigError(f"not moved to both ends of its travel: {', '.join(short)}. Nothing was written.")
    beyond = [f"{n} ({100 * s:.0f} %)" for n, s in zip(names, shares, strict=True) if s > 1 + SHORT]
    if beyond:
        raise ConfigError(
            f"moves further than this robot's does: {', '.join(beyond)}. Are two servos swapped, or is this "
            "another robot? Nothing was written."
        )
