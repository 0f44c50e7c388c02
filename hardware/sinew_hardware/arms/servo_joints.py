"""Joints and their servos: ticks of a servo to radians or metres of a joint, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_table import TURN


@dataclass(frozen=True, slots=True)
class CrankConfig:
    """A crank that slides a finger; m. The joint's position is the rod's reach at the servo's angle."""

    horn: float  # radius
    rod: float


@dataclass(frozen=True, slots=True)
class ServoConfig:
    """The servo of one joint."""

    id: int
    zero: int = 2048  # ticks at the joint's zero
    direction: Literal[1, -1] = 1
    gear: float = 1.0  # turns of the servo per turn of the joint
    crank: CrankConfig | None = None
    torque_limit: float = 1.0  # share of the most that it has
    homing_offset: int | None = None  # that the servo's own memory must hold; None: not calibrated

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.id <= 252 or self.gear <= 0:
            raise ValueError(f"expected 0 <= id <= 252 and a positive gear, got {self.id} and {self.gear}.")
        if not 0 < self.torque_limit <= 1:
            raise ValueError(f"torque_limit: expected a share in (0, 1], got {self.torque_limit}.")


class ServoJoints:
    """The servos of a robot's joints; arrays are (n,), in the robot's joint order."""

    def __init__(self, robot: Robot, servos: Mapping[str, ServoConfig], where: str) -> None:
        for name in servos:
            if name not in robot.joint_names:
                raise ConfigError(f"{where}: no joint '{name}'.{did_you_mean(name, robot.joint_names)}")
        lacking = [name for name in robot.joint_names if name not in servos]
        if lacking:
            raise ConfigError(f"{where}: no servo is given for {', '.join(lacking)}.")
        self.names = robot.joint_names
        self.servos = tuple(servos[name] for name in robot.joint_names)
        self.ids = tuple(servo.id for servo in self.servos)
        twice = sorted({i for i in self.ids if self.ids.count(i) > 1})
        if twice:
            raise ConfigError(f"{where}: servo id {twice[0]} is given to more than one joint.")
        self._ratio = np.array([s.direction * s.gear * TURN / (2 * np.pi) for s in self.servos])
        self._zero = np.array([servo.zero for servo in self.servos], dtype=np.float64)
        self.directions = np.array([float(servo.direction) for servo in self.servos])

    def name(self, servo: int) -> str:
        """Return how a servo is named in sentences."""
        return f"servo {servo} ({self.names[self.ids.index(servo)]})"

    def positions(self, ticks: FloatArray) -> FloatArray:
        """Return the joints' positions, rad or m, at the servos' ticks."""
        position: FloatArray = (ticks - self._zero) / self._ratio
        for i, crank in self._cranks():
            position[i] = reach(crank, position[i])
        return position

    def velocities(self, speeds: FloatArray, ticks: FloatArray) -> FloatArray:
        """Return the joints' velocities at servo speeds in rad/s of the servo."""
        gears = np.array([servo.direction * servo.gear for servo in self.servos])
        velocity: FloatArray = speeds / gears
        for i, crank in self._cranks():
            angle = (ticks[i] - self._zero[i]) / self._ratio[i]
            velocity[i] *= (reach(crank, angle + 1e-4) - reach(crank, angle - 1e-4)) / 2e-4
        return velocity

    def per_radian(self, position: FloatArray) -> FloatArray:
        """Return by how much each joint moves, rad or m, for one rad of its servo, near a position."""
        ticks = np.array(self.ticks(position), dtype=np.float64)
        change: FloatArray = (self.positions(ticks + 1) - self.positions(ticks - 1)) * TURN / (4 * np.pi)
        return np.abs(change)

    def ticks(self, position: FloatArray) -> list[int]:
        """Return the servos' ticks at joint positions, rad or m."""
        angle = np.array(position, dtype=np.float64)
        for i, crank in self._cranks():
            angle[i] = crank_angle(crank, angle[i])
        return [round(t) for t in self._zero + self._ratio * angle]

    def _cranks(self) -> list[tuple[int, CrankConfig]]:
        return [(i, servo.crank) for i, servo in enumerate(self.servos) if servo.crank is not None]


def reach(crank: CrankConfig, angle: float) -> float:
    """Return how far a crank's rod reaches at an angle of its horn, rad; m."""
    across = crank.horn * np.cos(angle)
    return float(crank.horn * np.sin(angle) + np.sqrt(crank.rod**2 - across**2))


def crank_angle(crank: CrankConfig, reached: float) -> float:
    """Return the angle of the horn at which the rod reaches so far, by the law of cosines."""
    cosine = (crank.horn**2 + reached**2 - crank.rod**2) / (2 * crank.horn * reached)
    return float(np.pi / 2 - np.arccos(np.clip(cosine, -1.0, 1.0)))
