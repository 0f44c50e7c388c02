"""Calibrating the servos of an arm: moved by hand, each joint from end to end, and then written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.calibration.homing import Homing, Sweep, home, travels


class ServoCalibration:
    """One calibration of an arm that was opened without its old one; nothing is written before `store`."""

    def __init__(self, arm: ServoArm) -> None:
        self._arm = arm
        arm.release()
        table = arm.table
        self._shift = np.array(
            [table.offset_sign * arm.bus.read(servo, table.homing_offset) for servo in arm.joints.ids]
        )
        self._sweep = Sweep(self._encoder())

    def look(self) -> FloatArray:
        """Read the joints once more; return which share of its travel each was moved through, (n,)."""
        self._sweep.add(self._encoder())
        return travels(self._arm.robot, self._arm.joints, self._sweep)

    def result(self) -> list[Homing]:
        """Return what came of it; raises ConfigError for joints that were not moved to both ends."""
        return home(self._arm.robot, self._arm.joints, self._arm.table, self._sweep)

    def store(self, homings: Sequence[Homing]) -> None:
        """Write the offsets into the servos' own memories and read them back; DeviceError if one differs."""
        arm, table = self._arm, self._arm.table
        for homing in homings:
            if table.memory_lock is not None:
                arm.bus.write(homing.servo, table.memory_lock, 0)
            arm.bus.write(homing.servo, table.homing_offset, homing.offset)
            if table.memory_lock is not None:
                arm.bus.write(homing.servo, table.memory_lock, 1)
            kept = arm.bus.read(homing.servo, table.homing_offset)
            if kept != homing.offset:
                name = arm.joints.name(homing.servo)
                raise DeviceError(f"{name} keeps {kept} where {homing.offset} was written.")

    def _encoder(self) -> FloatArray:
        encoder: FloatArray = np.array(self._arm.ticks(), dtype=np.float64) - self._shift
        return encoder


def fields(homings: Sequence[Homing], today: date) -> dict[str, Any]:
    """Return what a calibration lays over a hardware file."""
    servos = {homing.joint: {"homing_offset": homing.offset} for homing in homings}
    return {"station": {"arm": {"servos": servos}}, "calibrated": {"arm": today.isoformat()}}
