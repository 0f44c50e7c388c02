"""Objects in PyBullet behave like objects: they are lifted, held, carried, let go, and stay put."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import least_squares
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, FloatArray, JointCommand
from sinew_sim.bullet_station import BulletStation, BulletStationConfig
from sinew_sim.scene import ObjectState

HARDWARE = ("sim_pybullet", "sim_pybullet_fr3")
SEEDS = (1, 4)
APERTURE = 0.75  # of the approach
CARRY = 0.06  # m up
FIXED_JAW = {"so101": 0.015, "fr3": None}  # m from the tip to the jaw that does not move
CLEARANCE = 0.006  # m beside that jaw


@pytest.fixture(params=HARDWARE)
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture
def station(hardware: Hardware) -> Iterator[BulletStation]:
    station = BulletStation(BulletStationConfig(), hardware, "pick_place")
    yield station
    station.close()


def solve(robot: Robot, tip: FloatArray, closing: FloatArray, start: FloatArray) -> FloatArray:
    """Return joints (n,) with the tip at a point, looking down, its closing axis along +-closing (3,)."""
    arm = [i for i in range(len(start)) if i != robot.gripper_index]
    side = np.sign(robot.chain.pose(robot.tip_link, start)[:3, 1] @ closing) or 1.0

    def error(q: FloatArray) -> FloatArray:
        X = robot.chain.pose(robot.tip_link, with_arm(q))
        down, across = X[:3, 2] + [0, 0, 1], X[:3, 1] - side * closing
        return np.concatenate([100 * (X[:3, 3] - tip), down, across, 1e-3 * (q - start[arm])])

    def with_arm(q: FloatArray) -> FloatArray:
        full = start.copy()
        full[arm] = q
        return full

    bounds = (robot.lower[arm] - 1e-9, robot.upper[arm] + 1e-9)
    return with_arm(least_squares(error, start[arm], bounds=bounds).x)


def drive(station: BulletStation, hardware: Hardware, goal: FloatArray, seconds: float) -> None:
    """Go to joints (n,) on a straight line, one command a control period, and stay there for 0.2 s."""
    start = station.arm.read().position
    steps = round(seconds * NANOSECONDS / hardware.period)
    for share in [*np.linspace(0, 1, steps + 1)[1:], *[1.0] * 4]:
        station.arm.write(JointCommand(station.world.stamp, start + share * (goal - start)))
        station.world.step(hardware.period)


def with_gripper(robot: Robot, position: FloatArray, gripper: float) -> FloatArray:
    changed = position.copy()
    changed[robot.gripper_index] = gripper
    return changed


def grasp(station: BulletStation, hardware: Hardware, name: str) -> FloatArray:
    """Close on an object from above, across its faces; return the joints (n,) of the closed grasp."""
    robot, state = hardware.robot, station.world.state().objects[name]
    closing = across(state)
    q = with_gripper(robot, robot.home, robot.gripper_position(APERTURE))
    for height in (CARRY, 0.0):
        point = state.position + np.array([0.0, 0.0, height])
        q = solve(robot, point, closing, q)
        if FIXED_JAW[robot.name] is not None:
            tip_y = robot.chain.pose(robot.tip_link, q)[:3, 1]
            width = station.world.scene.spec(name).size[0]
            q = solve(robot, point - tip_y * (width / 2 - FIXED_JAW[robot.name] + CLEARANCE), closing, q)
        drive(station, hardware, q, 1.5)
    q = with_gripper(robot, q, robot.gripper.closed)
    drive(station, hardware, q, 0.6)
    return q


def across(state: ObjectState) -> FloatArray:
    """A horizontal direction across an upright cube's faces, the one nearer to y."""
    w, _, _, z = state.quaternion
    yaw = 2 * np.arctan2(z, w)
    yaw -= np.round(yaw / (np.pi / 2)) * np.pi / 2
    return np.array([-np.sin(yaw), np.cos(yaw), 0.0])


def carried(station: BulletStation, hardware: Hardware, q: FloatArray) -> FloatArray:
    """Lift what is grasped, then turn the base joint by 0.5 rad; return the joints (n,)."""
    robot = hardware.robot
    X = robot.chain.pose(robot.tip_link, q)
    q = with_gripper(robot, solve(robot, X[:3, 3] + [0, 0, CARRY], X[:3, 1], q), robot.gripper.closed)
    drive(station, hardware, q, 1.0)
    q = q.copy()
    q[0] -= 0.5 * np.sign(q[0] or 1.0)
    drive(station, hardware, q, 0.8)
    return q


def in_hand(station: BulletStation, hardware: Hardware, name: str) -> FloatArray:
    """The object's centre (3,) in the tip frame."""
    X = station.arm.pose(hardware.robot.tip_link)
    return X[:3, :3].T @ (station.world.state().objects[name].position - X[:3, 3])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_grasped_cube_is_carried_held_and_let_go(
    station: BulletStation, hardware: Hardware, seed: int
) -> None:
    station.world.reset(seed, "put the red cube in the blue bowl")
    start = station.world.state().objects["red cube"].position
    q = grasp(station, hardware, "red cube")
    q = carried(station, hardware, q)
    lifted = station.world.state().objects["red cube"].position
    assert lifted[2] - start[2] > CARRY - 0.012

    before = in_hand(station, hardware, "red cube")
    station.world.step(2 * NANOSECONDS)
    assert np.linalg.norm(in_hand(station, hardware, "red cube") - before) < 0.001

    drive(station, hardware, with_gripper(hardware.robot, q, hardware.robot.gripper.open), 0.3)
    station.world.step(NANOSECONDS)
    end = station.world.state().objects["red cube"]
    assert end.position[2] < start[2] + 0.03 and end.speed < 0.02
    assert np.linalg.norm(end.position[:2] - lifted[:2]) < 0.045  # it falls; it is not thrown


def test_a_released_object_falls_as_gravity_says(station: BulletStation) -> None:
    station.world.reset(0, "put the red cube in the blue bowl")
    height = station.world.state().objects["red cube"].position[2]
    station.world.place("red cube", np.array([0.2, 0.3, height + 0.2]))
    station.world.step(NANOSECONDS // 10)
    fallen = height + 0.2 - station.world.state().objects["red cube"].position[2]
    assert fallen == pytest.approx(0.5 * 9.81 * 0.1**2, rel=0.05)
    station.world.step(NANOSECONDS)
    assert station.world.state().objects["red cube"].position[2] == pytest.approx(height, abs=1e-3)


def test_what_nobody_touches_stays_where_it_is(station: BulletStation) -> None:
    for seed in range(4):
        station.world.reset(seed)
        before = station.world.state().objects
        station.world.step(3 * NANOSECONDS)
        after = station.world.state().objects
        for name, state in before.items():
            assert np.linalg.norm(after[name].position - state.position) < 5e-4, (seed, name)


def test_stopping_the_arm_keeps_the_grasp(station: BulletStation, hardware: Hardware) -> None:
    station.world.reset(1, "put the red cube in the blue bowl")
    carried(station, hardware, grasp(station, hardware, "red cube"))
    before = in_hand(station, hardware, "red cube")
    station.arm.stop()
    station.world.step(NANOSECONDS)
    assert np.linalg.norm(in_hand(station, hardware, "red cube") - before) < 0.001


def test_an_opening_gripper_leaves_the_arm_alone(station: BulletStation, hardware: Hardware) -> None:
    """Joint damping that acts on one side of a joint only once threw the arm by 0.3 rad."""
    robot = hardware.robot
    drive(station, hardware, with_gripper(robot, robot.home, robot.gripper.closed), 1.0)
    opened = with_gripper(robot, robot.home, robot.gripper.open)
    station.arm.write(JointCommand(station.world.stamp, opened))
    for _ in range(8):
        station.world.step(hardware.period // 2)
        assert np.abs(np.delete(station.arm.read().velocity, robot.gripper_index)).max() < 0.02
