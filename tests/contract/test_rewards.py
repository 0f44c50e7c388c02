"""What every reward model keeps to, by being a module of sinew_rewards."""

import math

import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build, plugin_spec, short_names
from sinew_core.protocols import RewardModel
from sinew_core.types import RewardEstimate

from tests.contract.observations import TASK, affordances, episode, observe

NAMES = short_names("sinew_rewards")


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


def make(name: str, hardware: Hardware) -> RewardModel:
    context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": TASK.name}
    model = build(plugin_spec(name, "sinew_rewards", "reward"), RewardModel, name, **context)
    model.reset(TASK)
    return model


def check(estimate: RewardEstimate) -> None:
    assert math.isfinite(estimate.value)
    assert abs(estimate.value) <= 1.0
    assert all(math.isfinite(term) for term in estimate.terms.values())
    for share in (estimate.success, estimate.progress):
        assert share is None or 0.0 <= share <= 1.0
    assert estimate.uncertainty is None or estimate.uncertainty >= 0.0


def test_the_reward_models_are_found() -> None:
    assert {"affordance_path", "goal_distance"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_estimates_are_bounded_and_answer_their_observation(name: str, hardware: Hardware) -> None:
    model = make(name, hardware)
    for affordance in affordances(hardware):
        model.reset(TASK)
        for observation in episode(hardware, affordance, 6):
            estimate = model.estimate(observation)
            assert estimate.stamp == observation.stamp
            assert estimate.terms
            check(estimate)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_is_said(name: str, hardware: Hardware) -> None:
    model = make(name, hardware)
    for affordance in (None, next(affordances(hardware))):
        estimate = model.estimate(observe(hardware, {}, affordance))
        check(estimate)
        assert estimate.success is None
        assert estimate.uncertainty is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_episode_after_reset_equals_the_first(name: str, hardware: Hardware) -> None:
    model = make(name, hardware)
    affordance = next(affordances(hardware))
    first = [model.estimate(o) for o in episode(hardware, affordance, 9)]
    model.reset(TASK)
    assert first == [model.estimate(o) for o in episode(hardware, affordance, 9)]
