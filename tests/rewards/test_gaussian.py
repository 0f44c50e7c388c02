"""The Gaussian reward on keypoints: nearer is better, first for the hand, then for the object."""

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, FloatArray, JointState, Keypoint, Observation, RewardEstimate, Task
from sinew_rewards.gaussian import Config, Gaussian

TASK = Task("pick_place", "put the red cube in the blue bowl")


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


@pytest.fixture
def tip(hardware: Hardware) -> FloatArray:
    return hardware.robot.chain.pose(hardware.robot.tip_link, hardware.robot.home)[:3, 3]


def grade(
    hardware: Hardware, item: FloatArray, bowl: FloatArray, *, model: Gaussian | None = None
) -> RewardEstimate:
    home = hardware.robot.home
    extents = np.array([0.03, 0.03, 0.03]), np.array([0.1, 0.1, 0.03])
    seen = {"cube": Keypoint(item, extent=extents[0], yaw=0.2), "bowl": Keypoint(bowl, extent=extents[1])}
    way = np.array([np.add(bowl, [0, 0, 0.1]), np.add(bowl, [0, 0, 0.05])])
    put = Affordance(0, "put", "cube", way, "bowl", "test", np.array([True, True]), "cube")
    joints = JointState(0, home, np.zeros_like(home))
    return (model or Gaussian(Config(), hardware)).estimate(Observation(0, joints, {}, seen, put, {}, TASK))


def test_the_nearer_the_hand_is_to_the_object_the_more_it_pays(hardware: Hardware, tip: FloatArray) -> None:
    bowl = np.add(tip, [0.0, 0.3, -0.1])
    values = [grade(hardware, np.add(tip, [0.0, -d, -0.02]), bowl).value for d in (0.2, 0.1, 0.05, 0.0)]
    assert (np.diff(values) > 0).all()


def test_the_nearer_the_object_is_to_its_target_the_more_it_pays(hardware: Hardware, tip: FloatArray) -> None:
    bowl = np.add(tip, [0.0, 0.2, -0.1])
    dense = [
        grade(hardware, np.add(bowl, [0.0, d, 0.01]), bowl).terms["target_point"] for d in (0.2, 0.1, 0.04)
    ]
    assert (np.diff(dense) > 0).all()


def test_an_object_may_lie_at_any_height_between_the_bowl_and_where_it_is_let_go(
    hardware: Hardware, tip: FloatArray
) -> None:
    bowl = np.add(tip, [0.0, 0.2, -0.1])
    points = [
        grade(hardware, np.add(bowl, [0, 0, height]), bowl).terms["target_point"] for height in (0.0, 0.04)
    ]
    assert points == pytest.approx([1.0, 1.0])
    assert grade(hardware, np.add(bowl, [0, 0, 0.15]), bowl).terms["target_point"] < 0.5


def test_no_place_is_worth_as_much_as_success(hardware: Hardware, tip: FloatArray) -> None:
    bowl = np.add(tip, [0.0, 0.2, -0.1])
    assert grade(hardware, bowl, bowl).value == 0.0  # in the bowl, and the open hand far away
    assert grade(hardware, np.add(bowl, [0.05, 0.0, 0.0]), bowl).value <= -0.5


def test_terms_of_both_regions_are_shown(hardware: Hardware, tip: FloatArray) -> None:
    terms = grade(hardware, tip, np.add(tip, [0.0, 0.2, -0.1])).terms
    assert {"grasp_point", "grasp_coverage", "target_point", "target_coverage", "dense"} <= set(terms)


@pytest.mark.parametrize("fields", [{"weight": 1.0}, {"alpha": 0.0}, {"point": 0.0, "coverage": 0.0}])
def test_settings_that_mean_nothing_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight|alpha|point"):
        Config(**fields)  # type: ignore[arg-type]
