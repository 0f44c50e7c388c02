"""What every wrapper keeps to around every reward, by being a module of sinew_rewards.wrappers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from sinew_core.errors import ConfigError, InferenceError
from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.models import make_reward
from sinew_core.plugins import camel_case, short_names
from sinew_core.types import RewardEstimate

from tests.contract.observations import TASK, affordances, episode, observe
from tests.rewards.wrappers.stand_ins import HOME, make, named, told, wrapper, wrong

Spec = Mapping[str, Any]

# Each wrapper around a reward whose values lie in [-1, 1], with the limits that its own must keep.
WRAPPERS: dict[str, tuple[Callable[[Spec], Spec], float, float]] = {
    "ensemble": (
        lambda source: wrapper("ensemble", members=[source, told(-0.5, success=[None])], rule="worst"),
        -1.0,
        1.0,
    ),
    "clipped": (lambda source: wrapper("clipped", source=source, low=-0.4, high=0.4), -0.4, 0.4),
    "delta": (lambda source: wrapper("delta", source=source), -2.0, 2.0),
    "preference_as_reward": (
        lambda source: wrapper("preference_as_reward", source=source, references=[-0.5, 0.0]),
        0.0,
        1.0,
    ),
    "shaped": (lambda source: wrapper("shaped", source=source, weight=0.5), -1.5, 1.5),
    "product": (
        lambda source: wrapper(
            "product",
            progress=source,
            factors={"value": {"worst": -1.0, "best": 0.0, "floor": 0.2}},
            fails={"far": {"source": named("goal_distance"), "limit": -2.0, "side": "below"}},
        ),
        0.0,
        1.0,
    ),
    "normalised": (
        lambda source: wrapper("normalised", source=source, statistics={"mean": -0.5, "std": 0.5}),
        -3.0,
        3.0,
    ),
    "centred": (lambda source: wrapper("centred", source=source, mean=-0.5), -0.5, 1.5),
    "artefact_penalty": (
        lambda source: wrapper(
            "artefact_penalty",
            source=source,
            artefacts={"hidden": {"plugin": f"{HOME}.artefacts.hidden:Hidden", "patience": 0.05}},
        ),
        -1.0,
        1.0,
    ),
    "vector": (
        lambda source: wrapper(
            "vector",
            objectives={
                "task": {"source": source, "weight": 0.5},
                "near": {"source": named("goal_distance"), "weight": 0.5},
            },
        ),
        -1.0,
        1.0,
    ),
    "success_gate": (lambda source: wrapper("success_gate", source=source, cap=-0.2), -1.0, 1.0),
}
SOURCES = ("goal_distance", "affordance_path", "placed", "noisy_success")
Built = Callable[[Spec], Spec]


@pytest.fixture(params=WRAPPERS)
def wrap(request: pytest.FixtureRequest) -> Built:
    built: Built = WRAPPERS[request.param][0]
    return built


def check(estimate: RewardEstimate, low: float, high: float) -> None:
    assert low <= estimate.value <= high
    assert type(estimate.value) is float
    assert all(type(term) is float and math.isfinite(term) for term in estimate.terms.values())
    for share in (estimate.success, estimate.progress):
        assert share is None or 0.0 <= share <= 1.0
    assert estimate.uncertainty is None or 0.0 <= estimate.uncertainty < math.inf


def test_every_wrapper_is_under_this_contract() -> None:
    classes = {name: getattr(import_module(f"{HOME}.{name}"), camel_case(name)) for name in short_names(HOME)}
    plugins = {name for name, cls in classes.items() if hasattr(cls, "estimate") and name != "member"}
    assert plugins == set(WRAPPERS)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", WRAPPERS)
def test_values_are_bounded_where_the_wrapped_ones_are(name: str, source: str, hardware: Hardware) -> None:
    wrap, low, high = WRAPPERS[name]
    model = make(wrap(named(source)), hardware)
    for affordance in affordances(hardware):
        model.reset(TASK)
        for observation in episode(hardware, affordance, 6):
            estimate = model.estimate(observation)
            assert estimate.stamp == observation.stamp
            check(estimate, low, high)


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_not_known_is_said(wrap: Built, source: str, hardware: Hardware) -> None:
    model = make(wrap(named(source)), hardware)
    for affordance in (None, next(affordances(hardware))):
        estimate = model.estimate(observe(hardware, {}, affordance))
        assert estimate.success is None
        assert estimate.uncertainty is not None


@pytest.mark.parametrize("source", SOURCES)
def test_an_episode_after_reset_equals_the_first(wrap: Built, source: str, hardware: Hardware) -> None:
    model = make(wrap(named(source)), hardware)
    affordance = next(affordances(hardware))
    first = [model.estimate(o) for o in episode(hardware, affordance, 9)]
    model.reset(TASK)
    assert first == [model.estimate(o) for o in episode(hardware, affordance, 9)]


RESTLESS = told(
    *(0.1, -0.9, 0.7),
    progress=[0.1, None, 0.8, 0.3],
    success=[0.0, 1.0, 0.0],
    uncertainty=[None, 0.4, None],
    terms={"force": [0.0, 0.0, 9.0]},
)
REMEMBERING = {
    "delta": wrapper("delta", source=RESTLESS, of="progress"),
    "the return": wrapper("preference_as_reward", source=RESTLESS, references=[0.0], compared="return"),
    "shaped": wrapper("shaped", source=RESTLESS),
    "shaped by another": wrapper("shaped", source=told(0.0), potential=RESTLESS),
    "product": wrapper("product", progress=RESTLESS),
    "product that fails": wrapper(
        "product",
        progress=told(0.0, progress=[0.1, 0.5, 0.9]),
        fails={"force": {"source": RESTLESS, "read": "force", "limit": 5.0}},
    ),
    "hidden": wrapper(
        "artefact_penalty",
        source=RESTLESS,
        artefacts={"hidden": {"plugin": f"{HOME}.artefacts.hidden:Hidden", "objects": ["cube"]}},
    ),
    "gate": wrapper("success_gate", source=RESTLESS, cap=0.0, success=told(0.0, success=[0.0, 1.0])),
    "ensemble": wrapper("ensemble", members=[RESTLESS, RESTLESS]),
    "vector": wrapper("vector", objectives={"one": {"source": RESTLESS}}),
}


@pytest.mark.parametrize("name", REMEMBERING)
def test_nothing_is_left_of_an_episode_of_a_restless_reward(name: str, hardware: Hardware) -> None:
    model = make(REMEMBERING[name], hardware)

    def told_from(start: int) -> list[RewardEstimate]:
        """The clock goes on from one episode to the next."""
        seen = (observe(hardware, step=start + step) for step in range(20))
        return [replace(model.estimate(observation), stamp=0) for observation in seen]

    first = told_from(0)
    assert len({(each.value, each.success, each.uncertainty) for each in first}) > 1
    model.reset(TASK)
    assert first == told_from(100)


def test_the_wrapped_terms_stay_visible(wrap: Built, hardware: Hardware) -> None:
    source = told(0.25, progress=[0.5], terms={"reach": [0.125], "value": [0.75]})
    terms = make(wrap(source), hardware).estimate(observe(hardware)).terms
    assert [terms[name] for name in terms if name.endswith(".reach")] == [0.125]
    prefix = next(name for name in terms if name.endswith(".reach")).removesuffix(".reach")
    assert terms[prefix] == 0.25
    assert terms[f"{prefix}.value"] == 0.75


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("late", "stamp 999999999, expected that of 1000000000"),
        ("array", r"the value an array of shape \(3,\), expected a finite number"),
        ("nan", "the value nan"),
        ("number", "0.5, expected a RewardEstimate"),
        ("success", "the success 1.5, expected a finite number from 0 to 1"),
        ("progress", "the progress nan"),
        ("uncertainty", "the uncertainty -1.0"),
        ("term", r"the term 'height' an array of shape \(2, 2\)"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_named(
    wrap: Built, how: str, sentence: str, hardware: Hardware
) -> None:
    model = make(wrap(wrong(how)), hardware)
    with pytest.raises(InferenceError, match=f"Wrong answered .*{sentence}"):
        model.estimate(observe(hardware))


def test_what_a_wrapped_reward_raises_goes_through(wrap: Built, hardware: Hardware) -> None:
    model = make(wrap(wrong("raises")), hardware)
    with pytest.raises(RuntimeError, match="the network is gone"):
        model.estimate(observe(hardware))


def test_reset_reaches_the_wrapped_reward(wrap: Built, hardware: Hardware) -> None:
    with pytest.raises(RuntimeError, match="no episode today"):
        make(wrap(wrong("reset")), hardware)


def test_a_wrong_wrapped_reward_is_named_with_its_place(wrap: Built, hardware: Hardware) -> None:
    for spec, sentence in (
        ({"plugin": "sinew_rewards.goal_distanc:GoalDistance"}, "Did you mean 'goal_distance'"),
        ({"plugin": "sinew_rewards.goal_distance:GoalDistance", "scales": 1.0}, "unknown key 'scales'"),
        ({"scale": 1.0}, "missing key 'plugin'"),
    ):
        with pytest.raises(ConfigError, match=sentence) as caught:
            make(wrap(spec), hardware)
        assert any(f"{name}: " in str(caught.value) for name in WRAPPERS)


def test_the_task_passes_down_to_a_reward_that_wants_it(wrap: Built, hardware: Hardware) -> None:
    make(wrap({"plugin": "tests.rewards.wrappers.test_contract:OfTask"}), hardware)


class OfTask:
    """Wants to know its task when it is built."""

    def __init__(self, task: str) -> None:
        assert task == TASK.name

    def reset(self, task: Any) -> None:
        pass

    def estimate(self, observation: Any) -> RewardEstimate:
        return RewardEstimate(observation.stamp, 0.0)


@pytest.mark.parametrize("outer", WRAPPERS)
def test_three_wrappers_nest(outer: str, hardware: Hardware) -> None:
    inner = WRAPPERS["clipped"][0](WRAPPERS["shaped"][0](named("goal_distance")))
    model = make(WRAPPERS[outer][0](inner), hardware)
    affordance = next(affordances(hardware))
    first = [model.estimate(o) for o in episode(hardware, affordance, 6)]
    assert [each.stamp for each in first] == [o.stamp for o in episode(hardware, affordance, 6)]
    assert any(name.endswith("clipped.shaped.seen") for name in first[0].terms)
    model.reset(TASK)
    assert first == [model.estimate(o) for o in episode(hardware, affordance, 6)]


def test_wrappers_are_read_from_a_file(wrap: Built, hardware: Hardware, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(_plain(wrap(told(0.25)))))
    model = make_reward(str(file), hardware, TASK.name)
    model.reset(TASK)
    assert model.estimate(observe(hardware)).stamp == observe(hardware).stamp


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def test_a_wrapper_of_a_reward_that_looks_at_frames_asks_for_them(wrap: Built, hardware: Hardware) -> None:
    assert not needs_frames(make(wrap(named("goal_distance")), hardware))
    assert needs_frames(make(wrap(wrong("looking")), hardware))
