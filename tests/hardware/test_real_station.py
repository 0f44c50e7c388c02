"""What a station of devices promises, held to by those whose devices are emulated, driver and all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from desk import until
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Arm, Attendant, Camera, Station, attendant_of
from sinew_core.types import CameraFrame, FloatArray, JointCommand, JointState
from sinew_hardware.emulators.emulated import EmulatedStation
from sinew_hardware.real_station import RealStation

SETTLED = 0.03  # rad or m: the play and the noise of the servos, and what they sag
WAIT = 5_000_000_000  # ns


@pytest.fixture(scope="module", params=["so101_emulated", "widowx250_emulated"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture(scope="module")
def station(hardware: Hardware) -> Iterator[RealStation]:
    station = hardware.open_station("pick_place")
    assert isinstance(station, RealStation)
    yield station
    station.close()


@pytest.fixture
def attendant(station: RealStation) -> EmulatedStation:
    assert isinstance(station.attendant, EmulatedStation)
    return station.attendant


def true_position(attendant: EmulatedStation) -> FloatArray:
    return np.array(attendant.talk("state")["position"])


def go(station: RealStation, position: FloatArray) -> None:
    read(station)
    station.arm.write(JointCommand(time.time_ns(), position))


def read(station: RealStation) -> JointState:
    """Read the arm; on a busy machine an answer may come too late, and the last one is repeated, or none."""
    asked, joints = time.time_ns(), None
    while joints is None or joints.stamp < asked:
        with suppress(DeviceError):
            joints = station.arm.read()
        assert time.time_ns() < asked + WAIT, "the arm does not answer"
    return joints


def settle(attendant: EmulatedStation) -> FloatArray:
    """Wait until the arm rests; return where."""
    assert until(lambda: np.abs(attendant.talk("state")["velocity"]).max() < 0.02)
    return true_position(attendant)


def twice(camera: Camera) -> tuple[CameraFrame, CameraFrame]:
    """Read a camera until two frames are of the same moment; return both."""
    frames = [camera.read(), camera.read()]
    while frames[-1].stamp != frames[-2].stamp:
        frames.append(camera.read())
    return frames[-2], frames[-1]


def after(camera: Camera, stamp: int) -> CameraFrame:
    """Return the first frame that was exposed after a moment."""
    assert until(lambda: camera.read().stamp > stamp)
    return camera.read()


def test_a_station_has_all_its_parts(station: Any, hardware: Hardware) -> None:
    assert isinstance(station, Station)
    assert isinstance(station.arm, Arm)
    assert station.world is None
    assert isinstance(attendant_of(station), Attendant)
    assert set(station.cameras) == set(hardware.config.cameras) == {"top", "side", "wrist"}
    assert all(isinstance(camera, Camera) for camera in station.cameras.values())


def test_frames_are_as_the_file_says(station: RealStation, hardware: Hardware) -> None:
    for name, camera in station.cameras.items():
        config, frame = hardware.config.cameras[name], camera.read()
        model, expected = camera.model, hardware.cameras[name]
        assert (model.name, model.link, model.fx) == (name, expected.link, expected.fx)
        np.testing.assert_array_equal(model.X_LC, expected.X_LC)
        assert frame.rgb.shape == (config.height, config.width, 3)
        assert frame.rgb.dtype == np.uint8
        assert config.depth
        assert frame.depth is not None
        assert frame.depth.shape == (config.height, config.width)
        assert frame.depth.dtype == np.float32
        millimetres = frame.depth.astype(np.float64) * 1000
        np.testing.assert_allclose(millimetres, np.rint(millimetres), atol=1e-3)
        assert 0.05 < np.median(frame.depth) < 2.0


def test_what_is_read_is_its_readers_own(station: RealStation) -> None:
    one, other = twice(station.cameras["top"])
    one.rgb[:] = 0
    assert other.rgb.any()
    joints = read(station)
    joints.position[:] = 9.0
    joints.velocity[:] = 9.0
    assert not (station.arm.read().position == 9.0).any()  # be it a new reading, or the last one again


def test_stamps_are_of_the_wall_clock_and_advance(station: RealStation) -> None:
    before = time.time_ns()
    first = read(station).stamp
    assert before <= first <= time.time_ns()
    assert read(station).stamp > first
    for camera in station.cameras.values():
        assert before < after(camera, before).stamp <= time.time_ns()


def test_joints_are_read_where_they_truly_are(
    station: RealStation, attendant: EmulatedStation, hardware: Hardware
) -> None:
    go(station, hardware.robot.home)
    truly = settle(attendant)
    np.testing.assert_allclose(read(station).position, truly, atol=SETTLED)


def test_a_command_moves_the_arm_in_its_physics(
    station: RealStation, attendant: EmulatedStation, hardware: Hardware
) -> None:
    target = hardware.robot.home.copy()
    target[0] += 0.3
    go(station, target)
    assert until(lambda: abs(true_position(attendant)[0] - target[0]) < SETTLED)
    assert all(attendant.talk("state")["torque"])
    go(station, hardware.robot.home)
    assert until(lambda: abs(true_position(attendant)[0] - hardware.robot.home[0]) < SETTLED)


def test_the_gripper_opens_and_closes(
    station: RealStation, attendant: EmulatedStation, hardware: Hardware
) -> None:
    robot = hardware.robot
    for aperture in (0.9, 0.2):
        target = robot.home.copy()
        target[robot.gripper_index] = robot.gripper_position(aperture)
        go(station, target)
        assert until(lambda wanted=aperture: abs(robot.aperture(true_position(attendant)) - wanted) < 0.1)
    assert robot.aperture(read(station).position) == pytest.approx(0.2, abs=0.1)


def test_a_stop_holds_the_arm_where_it_is(
    station: RealStation, attendant: EmulatedStation, hardware: Hardware
) -> None:
    target = hardware.robot.home.copy()
    target[0] = hardware.robot.upper[0]
    go(station, target)
    there = read(station).position[0]
    station.arm.stop()
    assert abs(settle(attendant)[0] - there) < abs(target[0] - there) / 2
    assert all(attendant.talk("state")["torque"])


def test_a_new_scene_is_laid_out_around_the_arm(
    station: RealStation, attendant: EmulatedStation, hardware: Hardware
) -> None:
    go(station, hardware.robot.home + np.eye(len(hardware.robot.home))[0] * 0.2)
    time.sleep(0.2)
    pictures = []
    for seed in (3, 4):
        stood = settle(attendant)
        task = attendant.reset(seed)
        np.testing.assert_allclose(true_position(attendant), stood, atol=SETTLED)
        assert task.instruction
        assert not attendant.success()
        pictures.append(after(station.cameras["top"], time.time_ns()).rgb.astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() > 60  # things lie elsewhere, far beyond the noise


def test_something_else_can_be_asked_for_as_the_scene_lies(attendant: EmulatedStation) -> None:
    drawn = attendant.reset(3).instruction
    assert attendant.reset(3).instruction == drawn
    sentence = "put the red banana in the pink bowl"
    assert attendant.ask(sentence).instruction == sentence
    assert not attendant.success()
    assert attendant.ask(drawn).instruction == drawn


def test_every_part_is_looked_at_before_it_may_move(station: RealStation, hardware: Hardware) -> None:
    checks = station.checks()
    assert {check.verdict for check in checks} == {"ok", "note"}
    named = " ".join(check.name for check in checks)
    parts = [*hardware.robot.joint_names, *(f"camera {name}" for name in station.cameras), "stop", "limits"]
    assert [part for part in parts if part not in named] == []


def test_what_the_emulator_does_not_know_is_answered_with_the_nearest(attendant: EmulatedStation) -> None:
    with pytest.raises(DeviceError, match=r"unknown fault 'unpluged'. Did you mean 'unplugged'"):
        attendant.talk("fault", kind="unpluged")
    assert attendant.talk("state")["position"]
