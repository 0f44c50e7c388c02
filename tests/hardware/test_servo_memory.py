"""What an emulated servo's memory makes of offsets, turns, power cuts and goals, as each make has it."""

from __future__ import annotations

import numpy as np
import pytest
from memory_bus import ROBOT, MemoryBus
from sinew_core.errors import DeviceError
from sinew_core.types import FloatArray
from sinew_hardware.arms.dynamixel import (
    CURRENT_BASED_POSITION,
    GOAL_PWM,
    MODEL,
    OPERATING_MODE,
)
from sinew_hardware.arms.servo_joints import ServoConfig
from sinew_hardware.buses.registers import Register

PAN = "shoulder_pan"  # servo 1
TICK = 2 * np.pi / 4096
FAR = ServoConfig(1, zero=3900)  # a joint whose encoder passes its end at 0.3 rad


@pytest.fixture(params=["feetech", "dynamixel"])
def make(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def at(angle: float) -> FloatArray:
    """Return home with another angle of the first joint."""
    position = ROBOT.home.copy()
    position[0] = angle
    return position


def unlocked(servos: MemoryBus, register: Register, value: int) -> None:
    """Write something of the first servo that outlives a power cut."""
    if servos.table.memory_lock is not None:
        servos.driver.write(1, servos.table.memory_lock, 0)
    servos.driver.write(1, register, value)
    if servos.table.memory_lock is not None:
        servos.driver.write(1, servos.table.memory_lock, 1)


def goes(servos: MemoryBus, goal: int) -> float:
    """Give the first servo torque and a goal; return where its joint is driven to."""
    servos.driver.write(1, servos.table.torque, 1)
    servos.driver.write(1, servos.table.goal, goal)
    return float(servos.motors.step(100.0, servos.port.now + 1, np.zeros(6))[0])


def test_a_homing_offset_is_subtracted_by_feetech_and_added_by_dynamixel(make: str) -> None:
    servos = MemoryBus(make)
    servos.put(at(0.0))
    for offset in (300, -300):
        unlocked(servos, servos.table.homing_offset, offset)
        told = servos.driver.read(1, servos.table.position)
        assert told == (2048 - offset if make == "feetech" else 2048 + offset)


@pytest.mark.parametrize("offset", [0, 700, -700])
def test_the_goal_that_a_servo_reads_of_itself_is_where_it_stays(make: str, offset: int) -> None:
    servos = MemoryBus(make)
    servos.put(at(0.4))
    unlocked(servos, servos.table.homing_offset, offset)
    told = servos.driver.read(1, servos.table.position)
    assert goes(servos, told) == pytest.approx(0.4, abs=TICK)
    assert goes(servos, told + 100) == pytest.approx(0.4 + 100 * TICK, abs=TICK)


def test_a_feetech_servo_begins_anew_at_the_end_of_its_turn_and_a_dynamixel_counts_on(make: str) -> None:
    servos = MemoryBus(make, shoulder_pan=FAR)
    servos.put(at(0.5))
    ticks = round(3900 + 0.5 / TICK)
    assert servos.driver.read(1, servos.table.position) == (ticks - 4096 if make == "feetech" else ticks)


def test_beyond_the_end_of_its_turn_a_servo_stays_where_it_reads_that_it_is(make: str) -> None:
    servos = MemoryBus(make, shoulder_pan=FAR)
    servos.put(at(0.5))
    told = servos.driver.read(1, servos.table.position)
    assert goes(servos, told) == pytest.approx(0.5, abs=TICK)
    assert goes(servos, told + 50) == pytest.approx(0.5 + 50 * TICK, abs=TICK)


def test_directions_and_gears_hold_for_goals_positions_speeds_and_loads(make: str) -> None:
    servos = MemoryBus(make, shoulder_pan=ServoConfig(1, zero=2000, direction=-1, gear=2.0))
    servos.put(at(0.25), np.full(6, 0.5))
    table = servos.table
    assert servos.driver.read(1, table.position) == pytest.approx(2000 - 2 * 0.25 / TICK, abs=1)
    assert servos.driver.read(1, table.velocity) * table.velocity_unit == pytest.approx(-1.0, abs=0.02)
    servos.motors.load[0] = 0.3
    assert servos.driver.read(1, table.load) == -300
    assert goes(servos, 2000 - 200) == pytest.approx(100 * TICK, abs=TICK)


def test_a_power_cut_clears_what_is_volatile_and_lets_the_joint_go(make: str) -> None:
    servos = MemoryBus(make)
    unlocked(servos, servos.table.homing_offset, 55)
    servos.driver.write(1, servos.table.torque, 1)
    servos.driver.write(1, servos.table.acceleration, 200)
    servos.memory.errors[1] = 4
    servos.memory.power_cycle(1)
    assert servos.driver.read(1, servos.table.homing_offset) == 55
    assert servos.driver.read(1, servos.table.torque) == 0
    assert servos.driver.read(1, servos.table.acceleration) == 0
    assert servos.memory.error(1) == 0
    assert not servos.motors.on[0]


def test_a_locked_feetech_memory_forgets_and_an_unlocked_one_keeps_that_alone() -> None:
    servos = MemoryBus("feetech")
    offset, temperature = servos.table.homing_offset, Register(13, 1)
    servos.driver.write(1, offset, 55)
    assert servos.driver.read(1, offset) == 55
    unlocked(servos, temperature, 60)
    servos.memory.power_cycle(1)
    assert servos.driver.read(1, offset) == 0
    assert servos.driver.read(1, temperature) == 60
    assert servos.table.memory_lock is not None
    assert servos.driver.read(1, servos.table.memory_lock) == 1


def test_a_limit_of_torque_reaches_the_motor_as_a_share(make: str) -> None:
    servos = MemoryBus(make)
    register, half = (Register(48, 2), 500) if make == "feetech" else (Register(102, 2), 597)
    servos.driver.write(1, register, half)
    assert servos.motors.share[0] == pytest.approx(0.5, abs=0.001)
    servos.memory.power_cycle(1)
    assert servos.motors.share[0] == 1.0


def test_an_overloaded_motor_is_an_error_of_its_servo(make: str) -> None:
    servos = MemoryBus(make)
    servos.motors.overloaded[1] = True
    assert servos.table.error_names(servos.memory.error(2)) == "overload"
    assert servos.memory.error(1) == 0


def test_a_number_beyond_its_register_is_told_as_the_most_that_fits(make: str) -> None:
    servos = MemoryBus(make)
    servos.motors.temperature[0] = 400.0
    servos.motors.load[0] = -90.0
    servos.put(ROBOT.home, np.full(6, 1e9))
    assert servos.driver.read(1, servos.table.temperature) == 255
    assert servos.driver.read(1, servos.table.load) == servos.table.load.range[0]
    assert servos.driver.read(1, servos.table.velocity) == servos.table.velocity.range[1]


def test_a_dynamixel_that_holds_in_another_mode_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    servos = MemoryBus("dynamixel")
    servos.driver.write(2, OPERATING_MODE, 3)
    servos.driver.write(2, servos.table.torque, 1)
    with pytest.raises(DeviceError, match="refuses"):
        servos.driver.write(2, OPERATING_MODE, CURRENT_BASED_POSITION)
    servos.arm(monkeypatch).engage()
    assert servos.driver.read(2, OPERATING_MODE) == CURRENT_BASED_POSITION
    assert servos.motors.on.all()


def test_a_dynamixel_that_measures_no_current_is_limited_by_its_pwm(monkeypatch: pytest.MonkeyPatch) -> None:
    xl430 = 1060
    servos = MemoryBus("dynamixel", gripper=ServoConfig(6, torque_limit=0.4))
    servos.memory.write(6, MODEL.address, xl430.to_bytes(2, "little"), 0)
    servos.arm(monkeypatch).engage()
    assert servos.driver.read(6, OPERATING_MODE) == 3
    assert servos.driver.read(6, GOAL_PWM) == round(0.4 * 885)
    assert servos.driver.read(5, OPERATING_MODE) == CURRENT_BASED_POSITION
    assert servos.driver.read(5, GOAL_PWM) == 885
