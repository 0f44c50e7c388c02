import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import JointState
from sinew_policies.inverse_kinematics import TipSolverConfig
from sinew_policies.straight_lines import MotionConfig, TipGoal, TipMotion, stopping_speed

DT = 0.05


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


def begun(hardware: Hardware) -> TipMotion:
    motion = TipMotion(hardware.robot, MotionConfig(), TipSolverConfig(), DT)
    motion.begin(at(hardware.robot.home))
    return motion


def at(position: np.ndarray) -> JointState:
    return JointState(0, position, np.zeros_like(position))


def moved(motion: TipMotion, *by: float) -> np.ndarray:
    return motion.position + np.array(by)


def follow(motion: TipMotion, goal: TipGoal, steps: int) -> np.ndarray:
    """Return the commanded tip positions (steps + 1, 3)."""
    positions = [motion.position.copy()]
    for _ in range(steps):
        motion.advance(goal)
        positions.append(motion.position.copy())
    return np.array(positions)


def test_the_way_is_straight_and_ends_at_the_goal(hardware: Hardware) -> None:
    motion = begun(hardware)
    goal = moved(motion, 0.03, 0.08, -0.02)
    way = follow(motion, TipGoal(goal, motion.yaw, 1.0), 60)
    np.testing.assert_allclose(way[-1], goal, atol=1e-6)
    along = (goal - way[0]) / np.linalg.norm(goal - way[0])
    beside = (way - way[0]) - np.outer((way - way[0]) @ along, along)
    assert np.abs(beside).max() < 1e-9
    assert (np.diff(way @ along) > -1e-9).all()


def test_speed_and_acceleration_keep_their_bounds(hardware: Hardware) -> None:
    motion, config = begun(hardware), MotionConfig()
    goal = moved(motion, 0.03, 0.08, -0.02)
    velocity = np.diff(follow(motion, TipGoal(goal, motion.yaw, 1.0), 60), axis=0) / DT
    assert np.linalg.norm(velocity, axis=1).max() <= config.speed + 1e-9
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() <= config.acceleration * DT + 1e-9


def test_a_slow_goal_is_approached_slowly(hardware: Hardware) -> None:
    motion, config = begun(hardware), MotionConfig()
    goal = moved(motion, 0.03, 0.08, -0.02)
    velocity = np.diff(follow(motion, TipGoal(goal, motion.yaw, 1.0, slow=True), 40), axis=0) / DT
    assert np.linalg.norm(velocity, axis=1).max() <= config.slow + 1e-9


def test_the_joints_put_the_tip_where_it_is_commanded(hardware: Hardware) -> None:
    motion, robot = begun(hardware), hardware.robot
    goal = TipGoal(moved(motion, 0.02, 0.06, -0.02), motion.yaw + 0.4, 0.5)
    for _ in range(50):
        joints = motion.advance(goal)
        tip = robot.chain.pose(robot.tip_link, joints)[:3, 3]
        assert np.linalg.norm(tip - motion.position) < 1e-3
    assert robot.aperture(joints) == pytest.approx(0.5)


def test_arrival_waits_for_the_measured_arm_but_not_for_ever(hardware: Hardware) -> None:
    motion, behind = begun(hardware), at(hardware.robot.home)
    goal = TipGoal(moved(motion, 0.0, 0.06, 0.0), motion.yaw, 1.0)
    joints = hardware.robot.home
    while np.linalg.norm(goal.position - motion.position) > 1e-3:
        assert not motion.arrived(goal, behind)
        joints = motion.advance(goal)
    assert motion.arrived(goal, at(joints))
    motion.advance(TipGoal(moved(motion, 0.0, 0.02, 0.0), motion.yaw, 1.0))
    motion.arrived(TipGoal(moved(motion, 0.0, 0.02, 0.0), motion.yaw, 1.0), behind)  # a new way
    waits = 0
    while not motion.arrived(TipGoal(motion.position, motion.yaw, 1.0), behind):
        waits += 1
        assert waits < 20
    assert waits == MotionConfig().patience


def test_braking_ends_within_the_distance() -> None:
    for distance in (0.001, 0.01, 0.1, 0.5):
        speed, covered = stopping_speed(distance, 1.5, DT), 0.0
        while speed > 0:
            covered += speed * DT
            speed -= 1.5 * DT
        assert covered <= distance + 1e-9


def test_a_goal_that_changes_in_full_flight_is_not_circled(hardware: Hardware) -> None:
    rng = np.random.default_rng(0)
    motion = begun(hardware)
    start = motion.position.copy()
    for _ in range(20):
        away = TipGoal(start + rng.uniform(-0.03, 0.03, 3), motion.yaw, 1.0, passing=0.006)
        for _ in range(4):
            motion.advance(away)
        near = TipGoal(motion.position + rng.uniform(-0.02, 0.02, 3), motion.yaw, 1.0, passing=0.006)
        for _ in range(40):
            if motion.arrived(near, at(hardware.robot.home)):
                break
            motion.advance(near)
        assert motion.arrived(near, at(hardware.robot.home))
