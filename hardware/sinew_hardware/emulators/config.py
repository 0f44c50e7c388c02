"""What is emulated: the fields of `emulator:` in a hardware file."""

from __future__ import annotations

import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sinew_hardware.arms.servo_joints import ServoConfig
from sinew_hardware.emulators.eyes import EyesConfig
from sinew_hardware.emulators.motors import MotorsConfig

Make = Literal["feetech", "dynamixel"]


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """One arm on one bus, and cameras that see it."""

    make: Make
    servos: Mapping[str, ServoConfig] = field(default_factory=dict)  # as they are built; empty: ids 1, 2, ...
    baud: int = 1_000_000
    motors: MotorsConfig = field(default_factory=MotorsConfig)
    cameras: EyesConfig = field(default_factory=EyesConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the rate."""
        if not hasattr(termios, f"B{self.baud}"):
            raise ValueError(f"baud: {self.baud} is no rate of a serial port, such as 57600 or 1000000.")
