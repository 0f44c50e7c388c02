"""A servo arm on servos in memory: what it says of them, when it is closed, and when they are lost."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import pytest
from memory_bus import ROBOT, SECOND, MemoryBus
from sinew_core.errors import DeviceError
from sinew_core.types import JointCommand
from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_joints import ServoConfig
from sinew_hardware.emulators.bus_faults import BusFault

FOREVER = 1 << 62  # ns
HOME = JointCommand(1, ROBOT.home)


@pytest.fixture(params=["feetech", "dynamixel"])
def servos(request: pytest.FixtureRequest) -> MemoryBus:
    return MemoryBus(request.param)


@pytest.fixture
def arm(servos: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> ServoArm:
    return servos.arm(monkeypatch)


@pytest.mark.parametrize("make", ["feetech", "dynamixel"])
@pytest.mark.parametrize("direction", [1, -1])
def test_effort_is_signed_by_the_joint_whatever_way_its_servo_turns(
    make: str, direction: Literal[1, -1], monkeypatch: pytest.MonkeyPatch
) -> None:
    servos = MemoryBus(make, elbow_flex=ServoConfig(3, direction=direction))
    servos.motors.load[:] = 0.25
    effort = servos.arm(monkeypatch).read().effort
    assert effort is not None
    np.testing.assert_allclose(effort, 0.25 * ROBOT.effort)


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
