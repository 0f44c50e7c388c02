"""A servo arm that was closed, or was lost at its first command: what is said, and how it comes back."""

from __future__ import annotations

import time

import numpy as np
import pytest
from memory_bus import ROBOT, SECOND, MemoryBus
from sinew_core.errors import DeviceError
from sinew_core.types import JointCommand
from sinew_hardware.arms import dynamixel, feetech, servo_arm
from sinew_hardware.arms.dynamixel import DynamixelArm
from sinew_hardware.arms.feetech import FeetechArm
from sinew_hardware.arms.servo_arm import ServoArm, ServoArmConfig
from sinew_hardware.emulators.bus_faults import BusFault

FOREVER = 1 << 62  # ns
HOME = JointCommand(1, ROBOT.home)


@pytest.fixture(params=["feetech", "dynamixel"])
def servos(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MemoryBus:
    servos = MemoryBus(request.param)
    monkeypatch.setattr(feetech, "open_feetech", lambda *_: servos.driver)
    monkeypatch.setattr(dynamixel, "open_dynamixel", lambda *_: servos.driver)
    monkeypatch.setattr(servo_arm, "REOPEN", 0.0)
    return servos


@pytest.fixture
def arm(servos: MemoryBus) -> ServoArm:
    driver = FeetechArm if servos.make == "feetech" else DynamixelArm
    return driver(ServoArmConfig("memory"), ROBOT)


def test_a_closed_arm_says_nothing_on_its_bus_and_does_not_open_it_again(
    arm: ServoArm, servos: MemoryBus
) -> None:
    arm.write(HOME)
    arm.close()
    servos.port.sent = b""
    arm.write(HOME)
    arm.stop()
    arm.close()
    for _ in range(2):
        with pytest.raises(DeviceError, match="memory: the arm was closed"):
            arm.read()
    assert servos.port.sent == b""


def test_a_servo_that_is_silent_at_the_first_command_is_named_and_not_the_cable(
    arm: ServoArm, servos: MemoryBus
) -> None:
    servos.bus.faults.add(BusFault("silent", FOREVER, servo=3))
    arm.write(HOME)
    for _ in range(2):
        with pytest.raises(DeviceError, match=r"servo 3 .*does not answer"):
            arm.read()
    servos.bus.faults.clear()
    before = time.time_ns()
    assert arm.read().stamp >= before
    arm.write(HOME)
    servos.motors.step(0.1, servos.port.now + SECOND, np.zeros(6))
    assert servos.motors.on.all()
