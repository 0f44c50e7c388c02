"""Who says that it is done: geometry, a classifier that errs, and one that fails."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Affordance, JointState, Keypoint, Observation, RewardEstimate, Task
from sinew_rewards.noisy_success import Config as NoisyConfig
from sinew_rewards.noisy_success import NoisySuccess
from sinew_rewards.placed import Config, Placed
from sinew_rewards.success import JudgedBy, SuccessSource

TASK = Task("pick_place", "put the red cube in the blue bowl")
TARGET = np.array([0.22, 0.0, 0.01])
WAY = np.array([np.add(TARGET, [0, 0, 0.1]), np.add(TARGET, [0, 0, 0.03])])
PUT = Affordance(0, "put", "cube", WAY, "bowl", "test", np.array([True, True]), "cube")
HERE = "tests.rewards.test_success"


class Told:
    """Says what the test has written down; an exception is raised, None is silence."""

    script: Sequence[Any] = ()

    def __init__(self) -> None:
        self._count = 0

    def reset(self, task: Task) -> None:
        self._count = 0

    def estimate(self, observation: Observation) -> RewardEstimate:
        said = Told.script[self._count]
        self._count += 1
        if isinstance(said, Exception):
            raise said
        late = isinstance(said, str)
        stamp = observation.stamp - late
        return RewardEstimate(stamp, 0.0, 1.0 if late else said)


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


def sight(hardware: Hardware, offset: float, aperture: float = 1.0, stamp: int = 0) -> Observation:
    position = hardware.robot.home.copy()
    position[hardware.robot.gripper_index] = hardware.robot.gripper_position(aperture)
    seen = {"bowl": Keypoint(TARGET), "cube": Keypoint(np.add(TARGET, [offset, 0.0, 0.01]))}
    return Observation(stamp, JointState(stamp, position, np.zeros_like(position)), {}, seen, PUT, {}, TASK)


def judged(
    hardware: Hardware, script: Sequence[Any], threshold: float = 0.5, frames: int = 1
) -> list[bool | None]:
    Told.script = script
    source = SuccessSource(JudgedBy({"plugin": f"{HERE}:Told"}, threshold, frames), hardware, "test")
    source.reset(TASK)
    return [source.judge(sight(hardware, 0.2)) for _ in script]


def test_a_probability_counts_from_the_threshold_on(hardware: Hardware) -> None:
    assert judged(hardware, [0.69, 0.7, 0.2], threshold=0.7) == [False, True, False]


def test_the_verdict_changes_only_after_several_frames_in_a_row(hardware: Hardware) -> None:
    said = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    verdicts = judged(hardware, said, frames=3)
    assert verdicts == [False] * 5 + [True] * 6 + [False]


@pytest.mark.parametrize("nothing", [RuntimeError("no weights"), None, float("nan"), 1.5, "late"])
def test_a_classifier_that_fails_or_is_silent_never_means_success(hardware: Hardware, nothing: Any) -> None:
    assert judged(hardware, [1.0, nothing, 1.0]) == [True, None, True]
    assert judged(hardware, [1.0, 1.0, nothing, 1.0, 1.0], frames=2) == [False, True, None, False, True]


def test_a_failed_classifier_leaves_the_dense_reward_with_uncertainty(hardware: Hardware) -> None:
    Told.script = [RuntimeError("no weights")]
    spec = {"plugin": "sinew_rewards.affordance_path:AffordancePath", "success": {"plugin": f"{HERE}:Told"}}
    model = build(spec, RewardModel, "test", hardware=hardware)
    model.reset(TASK)
    estimate = model.estimate(sight(hardware, 0.0))  # where geometry would say success
    assert estimate.success is None
    assert estimate.uncertainty is not None
    assert estimate.value <= -0.5


@pytest.mark.parametrize("plugin", ["affordance_path:AffordancePath", "gaussian:Gaussian"])
def test_the_classifier_wins_over_whatever_the_dense_term_says(hardware: Hardware, plugin: str) -> None:
    Told.script = [1.0, 0.0]
    spec = {"plugin": f"sinew_rewards.{plugin}", "success": {"plugin": f"{HERE}:Told"}}
    model = build(spec, RewardModel, "test", hardware=hardware)
    model.reset(TASK)
    assert model.estimate(sight(hardware, 0.5)).value == 0.0
    assert model.estimate(sight(hardware, 0.0)).value < 0.0  # though geometry would say success


@pytest.mark.parametrize(
    ("rates", "match"), [((0.0, 1), "threshold"), ((1.5, 1), "threshold"), ((0.5, 0), "frames")]
)
def test_settings_that_mean_nothing_are_refused(
    hardware: Hardware, rates: tuple[float, int], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        SuccessSource(JudgedBy({"plugin": f"{HERE}:Told"}, *rates), hardware, "test")


def test_an_unknown_classifier_is_named_with_its_place(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="affordance_path: success"):
        SuccessSource(JudgedBy({"plugin": "sinew_rewards.plaecd:Placed"}), hardware, "affordance_path")


@pytest.mark.parametrize(
    ("false_positive", "false_negative"), [(0.063, 0.809), (0.012, 0.598), (0.061, 0.813)]
)
def test_the_noisy_classifier_errs_as_often_as_robofumes(
    hardware: Hardware, false_positive: float, false_negative: float
) -> None:
    config = NoisyConfig(false_positive=false_positive, false_negative=false_negative)
    model = NoisySuccess(config, hardware)
    model.reset(TASK)
    done, undone = sight(hardware, 0.0), sight(hardware, 0.2)
    missed = np.mean([model.estimate(done).success == 0.0 for _ in range(1500)])
    invented = np.mean([model.estimate(undone).success == 1.0 for _ in range(1500)])
    assert missed == pytest.approx(false_negative, abs=0.04)
    assert invented == pytest.approx(false_positive, abs=0.02)


def test_asking_for_more_frames_keeps_false_successes_out(hardware: Hardware) -> None:
    noisy = {"plugin": "sinew_rewards.noisy_success:NoisySuccess", "false_positive": 0.063}
    counts = []
    for frames in (1, 3):
        source = SuccessSource(JudgedBy(noisy, 0.5, frames), hardware, "test")
        source.reset(TASK)
        counts.append(sum(source.judge(sight(hardware, 0.2)) is True for _ in range(1000)))
    assert counts[0] > 30
    assert counts[1] < counts[0] / 10


def test_the_same_errors_come_again_after_a_reset(hardware: Hardware) -> None:
    model = NoisySuccess(NoisyConfig(false_positive=0.5, silent=0.2), hardware)
    runs = []
    for _ in range(2):
        model.reset(TASK)
        runs.append([model.estimate(sight(hardware, 0.2)) for _ in range(30)])
    assert runs[0] == runs[1]


def test_placed_means_at_the_target_and_let_go(hardware: Hardware) -> None:
    model = Placed(Config(), hardware)
    assert model.estimate(sight(hardware, 0.0)).success == 1.0
    assert model.estimate(sight(hardware, 0.05)).success == 0.0
    away = replace(sight(hardware, 0.0), affordance=replace(PUT, target=np.add(TARGET, [0.1, 0, 0])))
    assert model.estimate(away).success == 0.0


def test_a_hand_that_should_go_somewhere_is_judged_by_its_last_waypoint(hardware: Hardware) -> None:
    robot = hardware.robot
    tip = robot.chain.pose(robot.tip_link, robot.home)[:3, 3]
    model = Placed(Config(), hardware)
    for offset, success in ((0.0, 1.0), (0.1, 0.0)):
        way = np.array([np.add(tip, [offset, 0.0, 0.0])])
        reach = Affordance(0, "go", None, way, "cube", "test", np.array([False]))
        assert model.estimate(replace(sight(hardware, 0.2), affordance=reach)).success == success
