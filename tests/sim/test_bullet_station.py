"""The PyBullet station: the same robot and scenes as elsewhere, deterministic, one client a station."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import FloatArray, JointCommand
from sinew_sim.bullet_station import BulletStation, BulletStationConfig

HARDWARE = ("sim_pybullet", "sim_pybullet_fr3")


@pytest.fixture(params=HARDWARE)
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


def open_station(hardware: Hardware, task: str = "pick_place") -> BulletStation:
    return BulletStation(BulletStationConfig(), hardware, task)


@pytest.fixture
def station(hardware: Hardware) -> Iterator[BulletStation]:
    station = open_station(hardware)
    yield station
    station.close()


def trace(station: BulletStation, hardware: Hardware, seed: int, steps: int = 12) -> FloatArray:
    """Sweep the arm over the table through whatever stands there; return all that moves, (steps, k)."""
    robot = hardware.robot
    station.world.reset(seed)
    goal = robot.home.copy()
    goal[:4] += [0.8, 0.5, 0.1, -0.3]
    rows = []
    for i in range(steps):
        target = robot.home + (i + 1) / steps * (goal - robot.home)
        station.arm.write(JointCommand(station.world.stamp, np.clip(target, robot.lower, robot.upper)))
        station.world.step(hardware.period)
        state = station.world.state()
        joints = station.arm.read()
        things = [x for o in state.objects.values() for x in (*o.position, *o.quaternion, *o.velocity)]
        rows.append([*joints.position, *joints.velocity, *state.tip, *things])
    return np.array(rows)


def test_both_simulators_files_differ_in_the_station_only(hardware: Hardware) -> None:
    theirs = load_hardware(hardware.name.replace("pybullet", "mujoco")).config
    assert replace(hardware.config, station=theirs.station) == theirs


def test_links_are_where_the_robots_own_kinematics_say(station: BulletStation, hardware: Hardware) -> None:
    robot = hardware.robot
    for q in np.random.default_rng(3).uniform(robot.lower, robot.upper, (50, len(robot.home))):
        station.arm.put(q)
        for link in (robot.tip_link, "wrist_camera"):
            assert np.abs(station.arm.pose(link) - robot.chain.pose(link, q)).max() < 1e-4


def test_the_arm_begins_exactly_at_home_and_at_rest(station: BulletStation, hardware: Hardware) -> None:
    trace(station, hardware, 5)
    station.world.reset(6)
    joints = station.arm.read()
    np.testing.assert_allclose(joints.position, hardware.robot.home, atol=1e-12)
    np.testing.assert_array_equal(joints.velocity, 0.0)


def test_the_arm_settles_on_its_target(station: BulletStation, hardware: Hardware) -> None:
    robot = hardware.robot
    station.world.reset(0)
    target = np.clip(robot.home + 0.15, robot.lower, robot.upper)
    station.arm.write(JointCommand(station.world.stamp, target))
    station.world.step(30 * hardware.period)
    np.testing.assert_allclose(station.arm.read().position, target, atol=2e-3)


@pytest.mark.parametrize("task", ["reach", "push", "pick_place", "stack"])
def test_a_seed_gives_the_scene_that_mujoco_has(hardware: Hardware, task: str) -> None:
    from sinew_sim.mujoco_station import MujocoStation, MujocoStationConfig

    ours, theirs = open_station(hardware, task), MujocoStation(MujocoStationConfig(), hardware, task)
    for seed in range(3):
        assert ours.world.reset(seed) == theirs.world.reset(seed)
        assert ours.world.scene == theirs.world.scene
        states = theirs.world.state().objects
        for name, state in ours.world.state().objects.items():
            assert np.linalg.norm(state.position - states[name].position) < 1e-3, name
    ours.close()
    theirs.close()


def test_a_seed_gives_the_same_course_whatever_ran_before(station: BulletStation, hardware: Hardware) -> None:
    first = trace(station, hardware, 3)
    trace(station, hardware, 8)
    np.testing.assert_array_equal(trace(station, hardware, 3), first)
    fresh = open_station(hardware)
    np.testing.assert_array_equal(trace(fresh, hardware, 3), first)
    fresh.close()


def test_two_stations_at_once_do_not_disturb_each_other() -> None:
    hardware, other = (load_hardware(name) for name in HARDWARE)
    one, two = open_station(hardware), open_station(other)
    alone = trace(one, hardware, 3)
    picture = one.cameras["top"].read().rgb
    one.world.reset(3)
    trace(two, other, 4)
    one.close()
    one = open_station(hardware)
    two.world.reset(4)
    np.testing.assert_array_equal(trace(one, hardware, 3), alone)
    trace(two, other, 5, steps=2)
    np.testing.assert_array_equal(one.cameras["top"].read().rgb, picture)
    one.close()
    two.close()


@pytest.mark.parametrize("shape", ["cube", "cylinder", "sphere"])
def test_what_is_dropped_into_a_bowl_comes_to_rest_in_it(station: BulletStation, shape: str) -> None:
    for seed in range(4):
        station.world.reset(seed, f"put the green {shape} in the purple bowl")
        bowl = station.world.state().objects["purple bowl"].position
        aside = np.random.default_rng(seed).uniform(-0.025, 0.025, 2)
        leaning = (np.cos(0.1), np.sin(0.1), 0.0, 0.0)
        station.world.place(f"green {shape}", bowl + np.array([*aside, 0.06]), leaning)
        station.world.step(2_000_000_000)
        assert station.world.success(), (seed, aside)


@pytest.mark.parametrize("shape", ["cube", "cylinder", "sphere", "bowl", "pad"])
def test_every_shape_stands_on_the_table(hardware: Hardware, shape: str) -> None:
    station = open_station(hardware, "reach")
    station.world.reset(1, f"go to the orange {shape}")
    spec = station.world.scene.spec(f"orange {shape}")
    height = station.world.state().objects[spec.name].position[2]
    assert spec.shape == shape and height == pytest.approx(spec.height / 2, abs=5e-4)
    station.close()


def test_steps_that_are_no_multiple_of_the_timestep_are_refused(
    station: BulletStation, hardware: Hardware
) -> None:
    with pytest.raises(ConfigError, match="multiple of the timestep"):
        station.world.step(1_000_000)
    with pytest.raises(ConfigError, match=r"control_period: 0\.033"):
        open_station(hardware.with_control_period(0.033))


def test_opening_a_station_prints_nothing(capfd: pytest.CaptureFixture[str], hardware: Hardware) -> None:
    open_station(hardware).close()
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr().out == ""


def test_a_closed_station_can_be_closed_again(hardware: Hardware) -> None:
    station = open_station(hardware)
    station.close()
    station.close()
