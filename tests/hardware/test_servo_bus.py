"""What the driver of a bus makes of late, refused and missing answers, through the makers' SDKs."""

from __future__ import annotations

import pytest
from memory_bus import MemoryBus
from sinew_core.errors import DeviceError
from sinew_hardware.arms.servo_table import DYNAMIXEL_X


@pytest.fixture(params=["feetech", "dynamixel"])
def servos(request: pytest.FixtureRequest) -> MemoryBus:
    return MemoryBus(request.param)


def test_a_ping_whose_answer_comes_too_late_is_asked_again(servos: MemoryBus) -> None:
    servos.port.lag = 3
    assert servos.driver.ping(1) == next(iter(servos.table.models))


def test_a_servo_that_is_silent_is_not_called_garbled(servos: MemoryBus) -> None:
    with pytest.raises(DeviceError, match="servo 9 does not answer"):
        servos.driver.write(9, servos.table.torque, 1)


def test_a_refusal_reaches_whoever_wrote() -> None:
    dynamixels = MemoryBus("dynamixel")
    dynamixels.driver.write(3, DYNAMIXEL_X.torque, 1)
    with pytest.raises(DeviceError, match=r"servo 3 refuses address 20: Writing or Reading is not available"):
        dynamixels.driver.write(3, DYNAMIXEL_X.homing_offset, 5)
    dynamixels.driver.write(3, DYNAMIXEL_X.torque, 0)
    dynamixels.driver.write(3, DYNAMIXEL_X.homing_offset, 5)
