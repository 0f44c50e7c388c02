import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.types import FloatArray
from sinew_policies.inverse_kinematics import TipPose, TipSolver
from sinew_rewards.retargeting.closest_joints import Bounds, ClosestJoints
from sinew_rewards.retargeting.human_arm import HumanArm, Placement, shoulder_on_shoulder
from sinew_rewards.retargeting.matching_network import NetworkConfig, fit_matching
from sinew_rewards.retargeting.retarget import Config, retarget
from sinew_rewards.retargeting.robot_arm import MatchingLinks, RobotArm, arm_of

sys.path.insert(0, str(Path(__file__).parent))

from human_motion import human_motion

ARMS = {"so101": "sim_mujoco", "fr3": "sim_mujoco_fr3"}


@pytest.fixture(scope="module", params=ARMS)
def arm(request: pytest.FixtureRequest) -> RobotArm:
    return arm_of(load_hardware(ARMS[request.param]).robot)


def movement(positions: FloatArray) -> float:
    """Return how long the way in joint space is."""
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())


def test_the_tip_goes_where_the_hand_went_within_a_centimetre(arm: RobotArm) -> None:
    for seed in range(4):
        found = retarget(human_motion(seed), arm)
        tips = arm.robot.chain.poses(arm.robot.tip_link, found.positions)[:, :3, 3]
        assert np.linalg.norm(tips - found.wanted, axis=1).max() < 0.01
        assert found.missed == ()


def test_the_joints_move_no_more_than_by_inverse_kinematics_alone(arm: RobotArm) -> None:
    ours = alone = 0.0
    for seed in range(3):
        found = retarget(human_motion(seed, 30), arm)
        solver, q, passed = TipSolver(arm.robot), found.positions[0], []
        for point in found.wanted:
            q = solver.solve(TipPose(point, 0.0), q).position
            passed.append(q)
        ours, alone = ours + movement(found.positions), alone + movement(np.stack(passed))
    assert ours <= alone


def test_the_step_to_the_next_point_is_the_smallest_there_is(arm: RobotArm) -> None:
    found = retarget(human_motion(1, 2), arm)
    before, after = found.positions
    joints, limits = list(arm.joints), Bounds(arm.robot.lower, arm.robot.upper)
    rng = np.random.default_rng(0)
    for _ in range(10):  # other answers nearby bring the tip there, too, by larger steps
        other = before.copy()
        other[joints] += 0.2 * rng.normal(size=len(joints))
        rival = ClosestJoints(arm).solve(
            found.wanted[1], np.clip(other, limits.lower, limits.upper), before, limits
        )
        assert rival.error < 1e-3
        assert np.linalg.norm(after - before) <= np.linalg.norm(rival.position - before) + 1e-4


def test_no_joint_is_faster_than_the_robot_or_leaves_its_limits(arm: RobotArm) -> None:
    human = human_motion(2)
    hasty = replace(human, stamps=human.stamps // 20)  # twenty times as fast
    found = retarget(hasty, arm)
    seconds = np.diff(hasty.stamps)[:, None] / 1e9
    assert (np.abs(np.diff(found.positions, axis=0)) <= arm.robot.velocity * seconds + 1e-9).all()
    assert ((found.positions >= arm.robot.lower) & (found.positions <= arm.robot.upper)).all()
    assert {each.reason for each in found.missed} == {"too fast"}


def test_a_point_out_of_reach_is_named_with_the_nearest_one(arm: RobotArm) -> None:
    human = human_motion(0, 20)
    far = replace(shoulder_on_shoulder(human, arm), scale=3.0)
    found = retarget(replace(human, stamps=np.arange(20) * 10**9), arm, far)
    assert len(found.missed) == 20
    first = found.missed[0]
    assert first.reason == "out of reach"
    assert "moment 0: out of reach, the nearest point is" in str(first)
    assert first.error == pytest.approx(np.linalg.norm(first.nearest - found.wanted[0]), abs=1e-6)
    rng = np.random.default_rng(0)  # nothing that the arm can do comes nearer
    drawn = rng.uniform(arm.robot.lower, arm.robot.upper, (20_000, len(arm.robot.home)))
    tips = arm.robot.chain.poses(arm.robot.tip_link, drawn)[:, :3, 3]
    assert first.error < np.linalg.norm(tips - found.wanted[0], axis=1).min() + 0.005


def test_an_outstretched_arm_is_an_outstretched_robot(arm: RobotArm) -> None:
    line = np.array([[0.0, 0, 0], [0.3, 0, 0], [0.57, 0, 0], [0.73, 0, 0]])
    placed = shoulder_on_shoulder(HumanArm(np.array([0]), line[None]), arm)
    hand = placed.hands(HumanArm(np.array([0]), line[None]))[0]
    assert hand == pytest.approx(arm.shoulder + np.array([arm.reach, 0, 0]))


def test_the_base_of_the_keypoints_does_not_matter(arm: RobotArm) -> None:
    human = human_motion(3, 10)
    turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])  # of another base
    other = replace(human, points=human.points @ turn.T + [5.0, -2.0, 1.0])
    same = retarget(other, arm, shoulder_on_shoulder(other, arm, turn.T))
    assert same.positions == pytest.approx(retarget(human, arm).positions, abs=1e-6)


def test_the_network_makes_the_robot_look_more_like_the_human() -> None:
    arm = arm_of(load_hardware("sim_mujoco_fr3").robot)
    network = fit_matching(arm, 0, NetworkConfig(steps=250))
    human = human_motion(3, 20)
    wanted = shoulder_on_shoulder(human, arm).directions(human)
    poses = network.poses(wanted)
    followed = retarget(human, arm, poses=poses, config=Config(follow=0.3))
    assert followed.errors.max() < 0.01
    assert alike(arm, followed.positions, wanted) > alike(arm, retarget(human, arm).positions, wanted) + 0.1


def alike(arm: RobotArm, positions: FloatArray, wanted: FloatArray) -> float:
    """Return the mean cosine between the robot's parts and the human's."""
    along = np.diff(arm.points(positions), axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True)
    return float((along * wanted).sum(2).mean())


def test_poses_of_another_shape_are_told(arm: RobotArm) -> None:
    with pytest.raises(ConfigError, match=r"poses: expected \(20, "):
        retarget(human_motion(0, 20), arm, poses=np.zeros((20, 3)))


def test_keypoints_that_are_no_arm_are_told() -> None:
    human = human_motion(0, 5)
    broken = human.points.copy()
    broken[3, 2, 0] = np.nan
    with pytest.raises(ValueError, match="the wrist of moment 3 is not finite"):
        HumanArm(human.stamps, broken)
    merged = human.points.copy()
    merged[1, 1] = merged[1, 0]
    with pytest.raises(ValueError, match="shoulder and elbow of moment 1 are less than 1 cm apart"):
        HumanArm(human.stamps, merged)
    with pytest.raises(ValueError, match="stamp 1 does not rise"):
        HumanArm(human.stamps[::-1].copy(), human.points)
    with pytest.raises(ValueError, match="expected points"):
        HumanArm(human.stamps[:2], human.points)
    with pytest.raises(ValueError, match="rotation matrix"):
        Placement(2 * np.eye(3), 1.0, np.zeros(3))


def test_a_robot_of_unknown_build_is_told_what_to_name() -> None:
    robot = replace(load_hardware("sim_mujoco").robot, name="new")
    with pytest.raises(ConfigError, match="nothing is known of the arm of 'new'"):
        arm_of(robot)
    with pytest.raises(ConfigError, match="Did you mean 'wrist'"):
        arm_of(robot, MatchingLinks("upper_arm", "lower_arm", "wirst"))
    assert arm_of(robot, MatchingLinks("upper_arm", "lower_arm", "wrist")).reach > 0.3
