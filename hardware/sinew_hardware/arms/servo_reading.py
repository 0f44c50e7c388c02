"""One reading of all servos: from their bytes to joints, and to what each servo says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_check import ServoHealth
from sinew_hardware.arms.servo_joints import ServoJoints
from sinew_hardware.arms.servo_table import ServoTable
from sinew_hardware.buses.servo_bus import Answer

ALERT = "an error"  # of a servo whose status packet does not say which


@dataclass(frozen=True, slots=True)
class ServoReading:
    """Arrays are (n,), in the robot's joint order."""

    ticks: FloatArray
    position: FloatArray  # rad or m
    velocity: FloatArray  # rad/s or m/s
    load: FloatArray  # share of the torque limit, signed by the servo's own direction
    health: tuple[ServoHealth, ...]


def decode(table: ServoTable, joints: ServoJoints, answers: Mapping[int, Answer]) -> ServoReading:
    """Return the reading that complete answers make."""
    block = table.state
    rows = [answers[servo].data or () for servo in joints.ids]
    ticks, speed, load, voltage, temperature = (
        np.array([block.value(register, row) for row in rows], dtype=np.float64)
        for register in (table.position, table.velocity, table.load, table.voltage, table.temperature)
    )
    load = table.load_unit * load
    health = tuple(
        ServoHealth(
            name,
            servo,
            float(voltage[i] * table.voltage_unit),
            float(temperature[i]),
            float(load[i]),
            _complaint(table, answers[servo].error & table.error_mask),
        )
        for i, (name, servo) in enumerate(zip(joints.names, joints.ids, strict=True))
    )
    velocity = joints.velocities(table.velocity_unit * speed, ticks)
    return ServoReading(ticks, joints.positions(ticks), velocity, load, health)


def _complaint(table: ServoTable, bits: int) -> str:
    """Return what a status packet complains of, or only that it does where a register says more."""
    return table.error_names(bits) if table.error_register is None else ALERT * bool(bits)
