"""A servo arm's driver on an emulated bus, in either make's protocol, through the makers' own SDKs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import ROBOT, Desk, until
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.protocols import Arm
from sinew_core.types import JointCommand, JointState
from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints
from sinew_hardware.arms.servo_losses import PATIENCE

TICK = 2 * np.pi / 4096
Desks = Callable[..., Desk]


@pytest.fixture(params=["feetech", "dynamixel"])
def make(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk_of(make: str, tmp_path: Path) -> Iterator[Desks]:
    desks: list[Desk] = []

    def made(**changes: object) -> Desk:
        desks.append(Desk(make, tmp_path, **changes))  # type: ignore[arg-type]
        return desks[-1]

    yield made
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(desk_of: Desks) -> Desk:
    return desk_of()


def go(arm: ServoArm, position: np.ndarray) -> None:
    arm.write(JointCommand(time.time_ns(), position))


def reads(arm: ServoArm, count: int = PATIENCE + 1) -> JointState:
    """Read until what the driver is patient with is used up."""
    joints = arm.read()
    for _ in range(count):
        joints = arm.read()
    return joints


def test_it_is_an_arm_and_reads_where_the_joints_are(desk: Desk) -> None:
    arm = desk.arm()
    assert isinstance(arm, Arm)
    before = time.time_ns()
    joints = arm.read()
    assert before <= joints.stamp <= time.time_ns()
    np.testing.assert_allclose(joints.position, ROBOT.home, atol=TICK)
    np.testing.assert_array_equal(joints.velocity, 0.0)


def test_opening_and_reading_give_no_torque_and_the_first_command_does(desk: Desk) -> None:
    arm = desk.arm()
    arm.read()
    arm.stop()
    assert not desk.motors.on.any()
    go(arm, ROBOT.home)
    assert desk.motors.on.all()


def test_torque_comes_at_the_pose_that_the_arm_was_moved_to_by_hand(desk: Desk) -> None:
    arm = desk.arm()
    elsewhere = ROBOT.home + 0.2
    desk.put(elsewhere)
    arm.read()
    go(arm, elsewhere)
    time.sleep(0.1)
    np.testing.assert_allclose(desk.motion.position, elsewhere, atol=2 * TICK)


def test_a_command_moves_every_joint_to_its_own_target(desk: Desk) -> None:
    arm = desk.arm()
    target = ROBOT.home + np.array([0.1, -0.1, 0.2, -0.2, 0.3, -0.3])
    go(arm, target)
    assert until(lambda: np.allclose(desk.motion.position, target, atol=TICK))
    np.testing.assert_allclose(arm.read().position, target, atol=2 * TICK)


def test_directions_zeros_and_gears_are_those_of_the_servos(desk_of: Desks) -> None:
    servos = {
        name: ServoConfig(10 + i, zero=1900 + 40 * i, direction=-1 if i % 2 else 1, gear=1.0 + 0.1 * (i == 3))
        for i, name in enumerate(ROBOT.joint_names)
    }
    desk = desk_of(servos=servos)
    arm = desk.arm(servos=servos)
    target = ROBOT.home + 0.1
    go(arm, target)
    assert until(lambda: np.allclose(desk.motion.position, target, atol=TICK))
    np.testing.assert_allclose(arm.read().position, target, atol=2 * TICK)


def test_a_limit_of_torque_reaches_the_servo(desk_of: Desks) -> None:
    servos = {
        name: ServoConfig(i + 1, torque_limit=0.3 if name == "gripper" else 1.0)
        for i, name in enumerate(ROBOT.joint_names)
    }
    desk = desk_of(servos=servos)
    go(desk.arm(servos=servos), ROBOT.home)
    np.testing.assert_allclose(desk.motors.share, [1, 1, 1, 1, 1, 0.3], atol=0.001)


def test_a_leader_is_never_given_torque(desk: Desk) -> None:
    arm = desk.arm(leader=True)
    go(arm, ROBOT.home + 0.1)
    arm.stop()
    assert not desk.motors.on.any()


def test_a_stop_holds_the_arm_where_it_is(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home + 0.5)
    time.sleep(0.06)
    arm.read()
    arm.stop()
    time.sleep(0.1)
    here = desk.motion.position
    assert (here < ROBOT.home + 0.45).any()
    time.sleep(0.1)
    np.testing.assert_allclose(desk.motion.position, here, atol=1e-9)


@pytest.mark.parametrize("kind", ["lost_byte", "bad_checksum"])
def test_packets_that_are_spoilt_now_and_then_are_asked_for_again(desk: Desk, kind: str) -> None:
    arm = desk.arm()
    desk.fault(kind, share=0.03)  # type: ignore[arg-type]
    stamps = [arm.read().stamp for _ in range(60)]
    assert len(set(stamps)) > 50
    np.testing.assert_allclose(arm.read().position, ROBOT.home, atol=TICK)


def test_no_spoilt_packet_raises_anything_but_the_arms_own_error(desk: Desk) -> None:
    arm = desk.arm()
    for kind in ("lost_byte", "twin", "bad_checksum"):
        desk.fault(kind, share=0.5)  # type: ignore[arg-type]
        for _ in range(60):
            with contextlib.suppress(DeviceError):
                arm.read()
        desk.bus.faults.clear()
    assert until(lambda: _well(arm))
    assert arm.read().stamp > 0


def test_a_silent_servo_is_named_after_a_few_readings_that_are_old(desk: Desk) -> None:
    arm = desk.arm()
    last = arm.read()
    desk.fault("silent", servo=3)
    assert [arm.read().stamp for _ in range(PATIENCE)] == [last.stamp] * PATIENCE
    with pytest.raises(DeviceError, match=r"servo 3 \(elbow_flex\) does not answer"):
        arm.read()
    desk.bus.faults.clear()
    assert arm.read().stamp > last.stamp


def test_after_a_silence_torque_comes_anew_where_the_arm_then_is(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home)
    desk.fault("silent")
    with pytest.raises(DeviceError):
        reads(arm)
    for servo in desk.memory.ids:
        desk.memory.power_cycle(servo)
    fallen = ROBOT.home + 0.3
    desk.put(fallen)
    desk.bus.faults.clear()
    joints = arm.read()
    np.testing.assert_allclose(joints.position, fallen, atol=TICK)
    go(arm, joints.position)
    time.sleep(0.1)
    assert desk.motors.on.all()
    np.testing.assert_allclose(desk.motion.position, fallen, atol=2 * TICK)


def test_a_servo_that_complains_is_named_with_its_complaint_until_it_is_well(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home)
    bit = next(bit for bit, name in arm.table.errors.items() if name == "overheating")
    desk.memory.errors[2] |= bit
    with pytest.raises(DeviceError, match=r"servo 2 \(shoulder_lift\) reports overheating"):
        arm.read()
    go(arm, ROBOT.home + 0.2)
    time.sleep(0.1)
    np.testing.assert_allclose(desk.motion.position, ROBOT.home, atol=2 * TICK)
    desk.memory.errors[2] = 0
    assert until(lambda: _well(arm))
    go(arm, ROBOT.home)
    assert desk.motors.on.all()


def test_an_overloaded_servo_can_be_used_again_once_the_load_is_gone(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home)
    desk.load = np.array([0, 0, 2.9, 0, 0, 0])
    assert until(lambda: desk.motors.overloaded[2])
    with pytest.raises(DeviceError, match="elbow_flex.*overload"):
        arm.read()
    desk.load = np.zeros(6)
    assert until(lambda: _well(arm))


def test_on_error_limp_takes_the_torque_away(desk: Desk) -> None:
    arm = desk.arm(on_error="limp")
    go(arm, ROBOT.home)
    desk.memory.errors[4] |= 1
    with pytest.raises(DeviceError, match="wrong voltage"):
        arm.read()
    assert not desk.motors.on.any()


def test_an_unplugged_cable_is_named_and_the_arm_found_again(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home)
    desk.wire.unplug()
    assert until(lambda: not _well(arm))
    with pytest.raises(DeviceError, match="is the cable plugged in"):
        arm.read()
    go(arm, ROBOT.home)  # raises nothing: the next reading tells
    arm.stop()
    desk.wire.plug()
    assert until(lambda: _well(arm))
    go(arm, ROBOT.home + 0.1)
    assert until(lambda: np.allclose(desk.motion.position, ROBOT.home + 0.1, atol=TICK))


def test_closing_twice_is_harmless_and_leaves_the_arm_holding(desk: Desk) -> None:
    arm = desk.arm()
    go(arm, ROBOT.home)
    arm.close()
    arm.close()
    assert desk.motors.on.all()


def test_a_servo_that_is_not_there_is_named_with_those_that_are(desk: Desk) -> None:
    desk.fault("silent", servo=4)
    with pytest.raises(DeviceError, match=r"servo 4 \(wrist_flex\) does not answer; found: 1, 2, 3, 5, 6"):
        desk.arm()


def test_an_arm_without_power_or_at_another_rate_says_so(desk: Desk) -> None:
    with pytest.raises(DeviceError, match="no servo answers at 57600 baud"):
        desk.arm(baud=57600)


def test_two_servos_with_one_id_are_told(desk: Desk) -> None:
    arm = desk.arm()
    desk.fault("twin", servo=2)
    arm.close()
    with pytest.raises(DeviceError, match=r"servo 2 .*(two servos|garbled|does not answer)"):
        desk.arm()


def test_a_port_that_is_in_use_is_told(desk: Desk) -> None:
    desk.arm()
    with pytest.raises(DeviceError, match="another program has this port"):
        desk.arm()


def test_a_port_that_does_not_exist_is_told(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no such port"):
        desk.arm(port=str(tmp_path / "nowhere"))


def test_a_failed_opening_leaves_the_port_free(desk: Desk) -> None:
    desk.fault("silent", servo=4)
    with pytest.raises(DeviceError):
        desk.arm()
    desk.bus.faults.clear()
    np.testing.assert_allclose(desk.arm().read().position, ROBOT.home, atol=TICK)


def offsets(desk: Desk, *values: int) -> None:
    table = desk.memory.table
    for servo, value in zip(desk.memory.ids, values, strict=True):
        if table.memory_lock is not None:
            desk.memory.write(servo, table.memory_lock.address, bytes([0]), 0)
        desk.memory.write(servo, table.homing_offset.address, bytes(table.homing_offset.encode(value)), 0)


def calibrated(*values: int) -> dict[str, ServoConfig]:
    names = zip(ROBOT.joint_names, values, strict=True)
    return {name: ServoConfig(i + 1, homing_offset=v) for i, (name, v) in enumerate(names)}


def test_an_arm_that_holds_its_calibration_is_taken(desk: Desk) -> None:
    offsets(desk, 10, -20, 30, 40, 50, 60)
    desk.arm(servos=calibrated(10, -20, 30, 40, 50, 60))


def test_the_calibration_of_another_arm_is_refused(desk: Desk) -> None:
    offsets(desk, 10, -20, 31, 40, 50, 60)
    with pytest.raises(
        DeviceError, match=r"servo 3 \(elbow_flex\) has the homing offset 31.*says 30.*another arm"
    ):
        desk.arm(servos=calibrated(10, -20, 30, 40, 50, 60))


def test_swapped_motors_are_named(desk: Desk) -> None:
    offsets(desk, 10, 30, -20, 40, 50, 60)
    with pytest.raises(
        DeviceError, match=r"servo 2 \(shoulder_lift\) and servo 3 \(elbow_flex\) are swapped"
    ):
        desk.arm(servos=calibrated(10, -20, 30, 40, 50, 60))


@pytest.mark.parametrize(
    ("servos", "sentence"),
    [
        ({"shoulder_pan": ServoConfig(1)}, "no servo is given for shoulder_lift"),
        ({"shoulder_pam": ServoConfig(1)}, "Did you mean 'shoulder_pan'"),
        ({name: ServoConfig(1) for name in ROBOT.joint_names}, "servo id 1 is given to more than one joint"),
    ],
)
def test_servos_that_are_not_the_robots_are_refused(servos: dict[str, ServoConfig], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        ServoJoints(ROBOT, servos, "servos")


def _well(arm: ServoArm) -> bool:
    try:
        before = arm.read().stamp
        return arm.read().stamp > before
    except DeviceError:
        return False
