"""Meeting the servos of an arm: are they all there, are they this arm's, and are they well?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sinew_core.errors import DeviceError
from sinew_core.preflight import Check

from sinew_hardware.arms.servo_joints import ServoJoints
from sinew_hardware.arms.servo_table import ServoTable
from sinew_hardware.buses.servo_bus import ServoBus

log = logging.getLogger(__name__)
SCANNED = range(1, 21)  # ids that are looked for when one is missing


@dataclass(frozen=True, slots=True)
class ServoHealth:
    """What one servo says of itself."""

    joint: str
    id: int
    voltage: float  # V
    temperature: float  # deg C
    load: float  # share of its torque limit, signed
    error: str  # '' for none


def check_servo(servo: ServoHealth, voltage: tuple[float, float], hottest: float) -> Check:
    """Judge one servo by the arm's ranges, V and deg C."""
    name = f"servo {servo.id} ({servo.joint})"
    told = f"{servo.voltage:.1f} V, {servo.temperature:.0f} deg C"
    if servo.error:
        return Check(name, "wrong", f"reports {servo.error} ({told}).")
    if not voltage[0] <= servo.voltage <= voltage[1]:
        return Check(
            name,
            "wrong",
            f"has {servo.voltage:.1f} V, expected {voltage[0]} to {voltage[1]} V: is this its power supply?",
        )
    if servo.temperature > hottest:
        return Check(name, "wrong", f"is at {servo.temperature:.0f} deg C; let it cool below {hottest:.0f}.")
    return Check(name, "ok", told)


def meet(bus: ServoBus, joints: ServoJoints, table: ServoTable, baud: int) -> None:
    """See that every servo is there, and calibrated as its arm is; raises DeviceError with what to do."""
    for servo in joints.ids:
        model = bus.ping(servo)
        if model is None:
            raise DeviceError(_missing(bus, joints, servo, baud))
        if model not in table.models:
            log.warning("arm: %s is of a model that is not known: %d", joints.name(servo), model)
    wanted = {servo.id: servo.homing_offset for servo in joints.servos if servo.homing_offset is not None}
    if wanted:
        found = {servo: bus.read(servo, table.homing_offset) for servo in wanted}
        _compare(joints, wanted, found, bus.port.path)


def _missing(bus: ServoBus, joints: ServoJoints, servo: int, baud: int) -> str:
    found = [other for other in SCANNED if bus.ping(other) is not None]
    if not found:
        return (
            f"{bus.port.path}: no servo answers at {baud} baud. Is the arm's power on, and are this its port "
            "and its rate?"
        )
    return (
        f"{bus.port.path}: {joints.name(servo)} does not answer; found: {', '.join(map(str, found))}. "
        "Check its cable, or give it its id."
    )


def _compare(joints: ServoJoints, wanted: Mapping[int, int], found: Mapping[int, int], path: str) -> None:
    """Raise DeviceError where the servos' own memory is not what the calibration left there."""
    differs = [servo for servo in wanted if wanted[servo] != found[servo]]
    if not differs:
        return
    first = differs[0]
    other = next((servo for servo in differs[1:] if found[servo] == wanted[first] != found[first]), None)
    if other is not None and found[first] == wanted[other]:
        raise DeviceError(
            f"{path}: {joints.name(first)} and {joints.name(other)} are swapped: each holds the other's "
            "calibration. Give them each other's ids, or calibrate anew."
        )
    raise DeviceError(
        f"{path}: {joints.name(first)} has the homing offset {found[first]}, the calibration says "
        f"{wanted[first]}: this is another arm, or it was calibrated elsewhere. Run `sinew calibrate servos`."
    )
