import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.robot import Robot
from sinew_policies.inverse_kinematics import TipPose, TipSolver, wrapped


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def robot(request: pytest.FixtureRequest) -> Robot:
    return load_hardware(request.param).robot


def tip(robot: Robot, position: np.ndarray) -> np.ndarray:
    return robot.chain.pose(robot.tip_link, position)


def reachable(robot: Robot, rng: np.random.Generator) -> TipPose:
    """A pose over the table within comfortable reach, straight down."""
    low, high = (0.16, 0.28) if robot.name == "so101" else (0.35, 0.65)
    radius, angle = rng.uniform(low, high), rng.uniform(-0.6, 0.6)
    point = np.array([radius * np.cos(angle), radius * np.sin(angle), rng.uniform(0.015, 0.10)])
    return TipPose(point, float(rng.uniform(-np.pi / 2, np.pi / 2)))


def test_reachable_poses_are_met_within_a_millimetre(robot: Robot) -> None:
    solver, rng = TipSolver(robot), np.random.default_rng(0)
    for _ in range(60):
        pose = reachable(robot, rng)
        solution = solver.solve(pose, robot.home)
        assert solution.error < 1e-3
        assert np.linalg.norm(tip(robot, solution.position)[:3, 3] - pose.position) < 1e-3


def test_answers_keep_the_joint_limits_and_the_gripper(robot: Robot) -> None:
    solver, rng = TipSolver(robot), np.random.default_rng(1)
    start = robot.home.copy()
    start[robot.gripper_index] = robot.gripper_position(0.3)
    for _ in range(30):
        position = solver.solve(reachable(robot, rng), start).position
        assert (position >= robot.lower).all()
        assert (position <= robot.upper).all()
        assert position[robot.gripper_index] == start[robot.gripper_index]


def test_the_tip_points_down_and_closes_along_the_yaw() -> None:
    robot = load_hardware("sim_mujoco_fr3").robot
    solution = TipSolver(robot).solve(TipPose(np.array([0.5, 0.1, 0.05]), -1.0), robot.home)
    X = tip(robot, solution.position)
    np.testing.assert_allclose(X[:3, 2], [0, 0, -1], atol=0.02)
    np.testing.assert_allclose(X[:3, 1], [np.cos(-1.0), np.sin(-1.0), 0], atol=0.02)
    assert solution.turn < 0.02


def test_tilt_is_given_up_before_position() -> None:
    robot = load_hardware("sim_mujoco").robot
    high = TipPose(np.array([0.25, 0.0, 0.18]), -np.pi / 2)  # too high for the wrist to point down
    solution = TipSolver(robot).solve(high, robot.home)
    assert solution.turn > 0.1
    assert solution.error < 1e-3


def test_an_unreachable_pose_is_told_by_its_error(robot: Robot) -> None:
    solution = TipSolver(robot).solve(TipPose(np.array([1.5, 0.0, 0.1]), 0.0), robot.home)
    assert solution.error > 0.3
    assert np.isfinite(solution.position).all()


def test_the_answer_depends_on_pose_and_start_alone(robot: Robot) -> None:
    solver, rng = TipSolver(robot), np.random.default_rng(2)
    pose = reachable(robot, rng)
    first = solver.solve(pose, robot.home).position
    solver.solve(reachable(robot, rng), robot.home)
    np.testing.assert_array_equal(first, solver.solve(pose, robot.home).position)
    np.testing.assert_array_equal(first, TipSolver(robot).solve(pose, robot.home).position)


def test_the_start_is_left_as_it_was(robot: Robot) -> None:
    start = robot.home.copy()
    TipSolver(robot).solve(reachable(robot, np.random.default_rng(3)), start)
    np.testing.assert_array_equal(start, robot.home)


def test_a_few_iterations_follow_a_moving_pose(robot: Robot) -> None:
    solver, joints = TipSolver(robot), robot.home
    start = tip(robot, joints)[:3, 3]
    goal = reachable(robot, np.random.default_rng(4))
    for share in np.linspace(0, 1, 60)[1:]:
        pose = TipPose(start + share * (goal.position - start), -np.pi / 2)
        solution = solver.solve(pose, joints, iterations=4)
        assert solution.error < 1e-3
        assert np.abs(solution.position - joints).max() < 0.25
        joints = solution.position


@pytest.mark.parametrize("angle", [0.0, 3.0, -3.0, 4.0, -10.0])
def test_wrapped_angles_point_the_same_way(angle: float) -> None:
    assert -np.pi <= wrapped(angle) < np.pi
    assert np.cos(wrapped(angle) - angle) == pytest.approx(1.0)
