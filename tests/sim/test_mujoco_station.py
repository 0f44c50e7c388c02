"""What is MuJoCo's own: grips that hold, frames from any thread, and graphics that may be missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import mujoco
import numpy as np
import pytest
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import CameraFrame, JointCommand
from sinew_sim import mujoco_gl
from sinew_sim.mujoco_station import MujocoStation, MujocoStationConfig

HARDWARE = ("sim_mujoco", "sim_mujoco_fr3")


@pytest.fixture(params=HARDWARE)
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture
def station(hardware: Hardware) -> Iterator[MujocoStation]:
    station = MujocoStation(MujocoStationConfig(), hardware, "stack")
    yield station
    station.close()


def closing_axis(station: MujocoStation, hardware: Hardware) -> np.ndarray:
    X = hardware.robot.chain.pose(hardware.robot.tip_link, station.arm.read().position)
    axis: np.ndarray = X[:3, 1]
    return axis


def test_a_gripped_cube_is_held_through_a_swing(station: MujocoStation, hardware: Hardware) -> None:
    robot, world = hardware.robot, station.world
    world.reset(0, "stack the red cube on the blue cube")
    y = closing_axis(station, hardware)
    world.place("red cube", world.state().tip, yaw=float(np.arctan2(y[1], y[0])))
    world.model.opt.gravity[:] = 0.0  # until the jaws are closed
    target = robot.home.copy()
    for aperture in np.linspace(1.0, 0.0, 12):
        target[robot.gripper_index] = robot.gripper_position(float(aperture))
        station.arm.write(JointCommand(world.stamp, target))
        world.step(hardware.period)
    world.model.opt.gravity[2] = -9.81
    for i in range(40):
        target[0] = robot.home[0] + 0.6 * np.sin(i / 40 * 2 * np.pi)
        station.arm.write(JointCommand(world.stamp, target))
        world.step(hardware.period)
    state = world.state()
    assert 0.15 < state.aperture < 0.7
    assert np.linalg.norm(state.objects["red cube"].position - state.tip) < 0.012


def test_both_fingers_of_one_motor_move_alike() -> None:
    hardware = load_hardware("sim_mujoco_fr3")
    station = MujocoStation(MujocoStationConfig(), hardware, "reach")
    world, robot = station.world, hardware.robot
    world.reset(0)
    target = robot.home.copy()
    target[robot.gripper_index] = 0.01
    station.arm.write(JointCommand(world.stamp, target))
    world.step(20 * hardware.period)
    left, right = (world.data.joint(f"fr3_finger_joint{i}").qpos[0] for i in (1, 2))
    assert left == pytest.approx(0.01, abs=5e-4)
    assert right == pytest.approx(left, abs=5e-4)


def test_the_servos_reach_their_targets(station: MujocoStation, hardware: Hardware) -> None:
    robot, world = hardware.robot, station.world
    world.reset(0)
    target = np.clip(robot.home + 0.1, robot.lower, robot.upper)
    target[robot.gripper_index] = robot.gripper_position(0.5)
    station.arm.write(JointCommand(world.stamp, target))
    world.step(30 * hardware.period)
    np.testing.assert_allclose(station.arm.read().position, target, atol=3e-3)


def test_frames_may_be_drawn_from_different_threads(station: MujocoStation) -> None:
    station.world.reset(0)
    here = station.cameras["top"].read()
    there: list[CameraFrame] = []
    thread = threading.Thread(target=lambda: there.append(station.cameras["top"].read()))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(here.rgb, there[0].rgb)


def test_no_part_of_the_robot_is_drawn_twice(station: MujocoStation) -> None:
    """Collision shapes lie just inside the visible ones; drawing both doubles the cost of a frame."""
    shown = station.world.model.geom_group == 1
    assert 0 < shown.sum() < len(shown)
    table = station.world.model.geom("table").id
    assert station.world.model.geom_type[table] == mujoco.mjtGeom.mjGEOM_PLANE
    assert not shown[table]


def test_missing_graphics_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "no_such_backend")
    with pytest.raises(DeviceError, match=r"MUJOCO_GL=no_such_backend.*libegl1.*libosmesa6"):
        mujoco_gl.make_context(16, 16)


def test_a_robot_that_mujoco_cannot_read_is_named(tmp_path: object, hardware: Hardware) -> None:
    from dataclasses import replace
    from pathlib import Path

    broken = Path(str(tmp_path)) / "broken.urdf"
    broken.write_text("<robot name='x'><link/></robot>")
    bad = replace(hardware, robot=replace(hardware.robot, urdf=broken))
    with pytest.raises(ConfigError, match=r"broken\.urdf"):
        MujocoStation(MujocoStationConfig(), bad, "reach")


@pytest.mark.parametrize("timestep", [0.0, -0.002, 1e-10])
def test_a_timestep_is_whole_nanoseconds(timestep: float) -> None:
    with pytest.raises(ValueError, match="timestep"):
        MujocoStationConfig(timestep)
