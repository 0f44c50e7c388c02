from collections.abc import Mapping

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, JointState, Keypoint, Observation, RewardEstimate, Task
from sinew_rewards.goal_distance import Config, GoalDistance

TASK = Task("push", "push the red cube to the blue pad")
TARGET = np.array([0.25, 0.0, 0.0])
PUSH = Affordance(0, "push", None, np.array([TARGET]), "pad", "test", np.array([True]), "cube")
REACH = Affordance(0, "reach", None, np.array([TARGET]), TARGET, "test", np.array([False]))


@pytest.fixture
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


def grade(
    model: GoalDistance, hardware: Hardware, affordance: Affordance, keypoints: Mapping[str, Keypoint]
) -> RewardEstimate:
    home = hardware.robot.home
    joints = JointState(0, home, np.zeros_like(home))
    return model.estimate(Observation(0, joints, {}, keypoints, affordance, {}, TASK))


def cube_at(distance: float) -> dict[str, Keypoint]:
    return {"cube": Keypoint(TARGET + np.array([0.0, distance, 0.015])), "pad": Keypoint(TARGET)}


def test_nearer_is_better_and_at_the_target_is_best(hardware: Hardware) -> None:
    model = GoalDistance(Config(), hardware)
    values = [grade(model, hardware, PUSH, cube_at(d)).value for d in (0.2, 0.1, 0.05, 0.0)]
    assert (np.diff(values) > 0).all()
    assert values[-1] == pytest.approx(0.0)


def test_the_value_is_cut_off_at_the_scale(hardware: Hardware) -> None:
    model = GoalDistance(Config(scale=0.1), hardware)
    assert grade(model, hardware, PUSH, cube_at(0.05)).value == pytest.approx(-0.5)
    assert grade(model, hardware, PUSH, cube_at(0.9)).value == -1.0


def test_without_an_object_to_move_the_tip_counts(hardware: Hardware) -> None:
    estimate = grade(GoalDistance(Config(), hardware), hardware, REACH, {})
    tip = hardware.robot.chain.pose(hardware.robot.tip_link, hardware.robot.home)[:3, 3]
    assert estimate.terms["distance"] == pytest.approx(np.linalg.norm(tip - TARGET))


def test_a_hidden_object_counts_where_it_was_and_is_said_to_be_hidden(hardware: Hardware) -> None:
    model = GoalDistance(Config(), hardware)
    before = grade(model, hardware, PUSH, cube_at(0.1))
    after = grade(model, hardware, PUSH, {})
    assert after.value == before.value
    assert after.success is None
    assert after.uncertainty is not None
    assert (before.terms["seen"], after.terms["seen"]) == (1.0, 0.0)


def test_success_is_a_small_distance(hardware: Hardware) -> None:
    model = GoalDistance(Config(success=0.03), hardware)
    assert grade(model, hardware, PUSH, cube_at(0.02)).success == 1.0
    assert grade(model, hardware, PUSH, cube_at(0.04)).success == 0.0


def test_lengths_must_be_positive() -> None:
    with pytest.raises(ValueError, match="scale"):
        Config(scale=0.0)
