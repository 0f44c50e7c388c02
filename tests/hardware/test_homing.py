"""Servos are homed by moving each joint from end to end, whatever way they were mounted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from desk import ROBOT, Desk, until
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray, JointCommand
from sinew_hardware.arms.servo_joints import ServoConfig
from sinew_hardware.calibration.homing import Sweep, stops
from sinew_hardware.calibration.servos import ServoCalibration, fields

MOUNTS = (2048, 1700, 3900, 120, 2500, 1024)  # encoder ticks at each joint's zero
SIGNS = (1, -1, 1, -1, 1, 1)
HALF_DEGREE = np.radians(0.5)


@pytest.fixture(params=["feetech", "dynamixel"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(str(request.param), tmp_path, servos(MOUNTS))
    yield desk
    desk.close()


def servos(zeros: tuple[int, ...], offsets: dict[str, int] | None = None) -> dict[str, ServoConfig]:
    return {
        name: ServoConfig(i + 1, zero, sign, homing_offset=(offsets or {}).get(name))  # type: ignore[arg-type]
        for i, (name, zero, sign) in enumerate(zip(ROBOT.joint_names, zeros, SIGNS, strict=True))
    }


def path(share: float = 1.0) -> Iterator[FloatArray]:
    """Each joint to its lower end, to its upper end and back to the middle, in small steps."""
    lower, upper = stops(ROBOT)
    middle = (lower + upper) / 2
    for i in range(6):
        for value in np.concatenate([np.linspace(0, -1, 8), np.linspace(-1, 1, 16), np.linspace(1, 0, 8)]):
            position = middle.copy()
            position[i] += share * value * (upper[i] - lower[i]) / 2
            yield position


def swept(desk: Desk, share: float = 1.0) -> ServoCalibration:
    desk.put(next(path()))
    calibration = ServoCalibration(desk.arm(servos=servos((2048,) * 6)))
    for position in path(share):
        desk.put(position)
        calibration.look()
    return calibration


def test_an_arm_of_any_mounting_reads_true_after_its_calibration(desk: Desk) -> None:
    calibration = swept(desk)
    homings = calibration.result()
    calibration.store(homings)
    desk.close_arms()
    offsets = {homing.joint: homing.offset for homing in homings}
    arm = desk.arm(servos=servos((2048,) * 6, offsets))
    for position in (ROBOT.home, ROBOT.lower + 0.01, ROBOT.upper - 0.01):
        desk.put(position)
        np.testing.assert_allclose(arm.read().position, position, atol=HALF_DEGREE)
    target = ROBOT.home + 0.1
    arm.write(JointCommand(time.time_ns(), target))
    assert until(lambda: np.allclose(desk.motion.position, target, atol=HALF_DEGREE))


def test_the_servos_keep_their_calibration_over_a_power_cut(desk: Desk) -> None:
    calibration = swept(desk)
    calibration.store(calibration.result())
    desk.put(ROBOT.home)
    for servo in desk.memory.ids:
        desk.memory.power_cycle(servo)
    desk.close_arms()
    np.testing.assert_allclose(
        desk.arm(servos=servos((2048,) * 6)).read().position, ROBOT.home, atol=HALF_DEGREE
    )


def test_a_second_calibration_finds_what_the_first_one_found(desk: Desk) -> None:
    calibration = swept(desk)
    first = calibration.result()
    calibration.store(first)
    desk.close_arms()
    assert [h.offset for h in swept(desk).result()] == pytest.approx([h.offset for h in first], abs=2)


def test_a_joint_that_was_not_moved_to_both_ends_is_named_and_nothing_written(desk: Desk) -> None:
    before = [desk.memory.read(i, 0, 64) for i in desk.memory.ids]
    with pytest.raises(
        ConfigError, match=r"not moved to both ends.*wrist_roll \(80 %\).*Nothing was written"
    ):
        swept(desk, share=0.8).result()
    assert [desk.memory.read(i, 0, 40)[:40] for i in desk.memory.ids] == [b[:40] for b in before]


def test_a_joint_that_moves_too_far_is_another_one(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="moves further than this robot's does.*swapped"):
        swept(desk, share=1.15).result()


def test_an_encoder_that_passes_its_end_goes_on() -> None:
    sweep = Sweep(np.array([4000.0]))
    for value in (4090, 90, 600, 4080, 3500):
        sweep.add(np.array([float(value)]))
    np.testing.assert_array_equal([sweep.low, sweep.high], [[3500.0], [4696.0]])


def test_what_is_laid_over_the_hardware_file_names_joints_and_the_day(desk: Desk) -> None:
    laid = fields(swept(desk).result(), date(2026, 11, 29))
    assert laid["calibrated"] == {"arm": "2026-11-29"}
    assert set(laid["station"]["arm"]["servos"]) == set(ROBOT.joint_names)
