"""The fields of `arm:` in a hardware file of a servo arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sinew_core.robot import Robot

from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints


@dataclass(frozen=True, slots=True)
class ServoArmConfig:
    """A servo arm: where it is, which servo moves which joint, and what it does in trouble."""

    port: str
    servos: Mapping[str, ServoConfig] = field(default_factory=dict)  # by joint; empty: ids 1, 2, ...
    baud: int = 1_000_000
    on_error: Literal["hold", "limp"] = "hold"  # what the arm does when one of its servos gives up
    voltage: tuple[float, float] = (4.5, 13.0)  # V, that pre-flight expects
    max_temperature: float = 60.0  # deg C
    acceleration: int = 254  # of the servos' own motion profile, in their units
    leader: bool = False  # moved by hand: it is never given torque

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.voltage[0] >= self.voltage[1] or self.baud < 9600:
            raise ValueError("expected voltage: [least, most] and at least 9600 baud.")

    def joints(self, robot: Robot, where: str) -> ServoJoints:
        """Return the servos of a robot's joints; raises ConfigError where they do not fit each other."""
        servos = self.servos or {name: ServoConfig(i + 1) for i, name in enumerate(robot.joint_names)}
        return ServoJoints(robot, servos, where)
