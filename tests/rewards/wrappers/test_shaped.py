"""Shaping: it adds up to its ends, and changes no preference between policies."""

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware

from tests.rewards.wrappers.stand_ins import make, run, told, wrapper

GAMMA = 0.9


def shaping(hardware: Hardware, progress: list[float | None], **fields: object) -> np.ndarray:
    """Return what shaping adds on each observation (T,), with weight 1 and discount 0.9 by default."""
    success = fields.pop("success", [None])
    source = told(0.25, progress=progress, success=success)
    spec = wrapper("shaped", source=source, **{"discount": GAMMA, **fields})
    return np.array([each.value - 0.25 for each in run(spec, hardware, len(progress))])


def discounted(steps: np.ndarray) -> float:
    """Return the sum of steps after the first observation, each with its discount."""
    return float(sum(GAMMA**i * step for i, step in enumerate(steps[1:])))


@pytest.mark.parametrize("seed", range(5))
def test_it_telescopes_whatever_the_way(seed: int, hardware: Hardware) -> None:
    way = np.random.default_rng(seed).uniform(0, 1, 12).tolist()
    steps = shaping(hardware, way, weight=3.0)
    assert steps[0] == 0.0
    assert discounted(steps) == pytest.approx(3.0 * (GAMMA**11 * way[-1] - way[0]))


def test_it_telescopes_across_what_is_not_seen(hardware: Hardware) -> None:
    steps = shaping(hardware, [None, 0.3, None, None, 0.6])
    assert discounted(steps) == pytest.approx(GAMMA**4 * 0.6 - 0.0)


def test_the_potential_is_0_once_the_task_is_done(hardware: Hardware) -> None:
    steps = shaping(hardware, [0.2, 0.7, 1.0], success=[0.0, 0.0, 1.0])
    assert discounted(steps) == pytest.approx(-0.2)


def test_success_that_comes_and_goes_pays_nothing_on_the_whole(hardware: Hardware) -> None:
    steady = shaping(hardware, [0.5] * 9, success=[0.0])
    flickering = shaping(hardware, [0.5] * 9, success=[0.0, 1.0, 0.0, 1.0, 0.0])
    assert discounted(flickering) == pytest.approx(discounted(steady))


def test_another_reward_may_guide(hardware: Hardware) -> None:
    spec = wrapper(
        "shaped", source=told(0.0), potential=told(-2.0, -1.0), of="value", discount=1.0, weight=0.5
    )
    said = run(spec, hardware, 2)
    assert said[1].value == 0.5
    assert said[1].terms["shaped.potential"] == -1.0
    assert said[1].terms["shaping"] == 0.5


def test_an_unknown_potential_is_said_and_pays_nothing_new(hardware: Hardware) -> None:
    said = run(wrapper("shaped", source=told(0.0, progress=[0.5, None]), discount=1.0), hardware, 2)
    assert said[1].value == 0.0
    assert said[0].uncertainty is None
    assert said[1].uncertainty == 0.5


def test_shaped_and_plain_rewards_order_two_policies_alike(hardware: Hardware) -> None:
    """Two ways from one start to the end of the task, by discounted returns."""
    ways = {"straight": [0.0, 0.5, 1.0, 1.0], "detour": [0.0, 0.9, 0.1, 1.0]}
    paid = {"straight": [0.0, 0.0, 1.0, 0.0], "detour": [0.0, 0.0, 0.0, 1.0]}
    done = {"straight": [0.0, 0.0, 1.0, 1.0], "detour": [0.0, 0.0, 0.0, 1.0]}
    gaps = []
    for weight in (0.0, 5.0):
        returns = {}
        for name, way in ways.items():
            source = told(*paid[name], progress=way, success=done[name])
            spec = wrapper("shaped", source=source, weight=weight, discount=GAMMA)
            returns[name] = discounted(np.array([each.value for each in run(spec, hardware, 4)]))
        gaps.append(returns["straight"] - returns["detour"])
    assert gaps[0] > 0
    assert gaps[1] == pytest.approx(gaps[0])


@pytest.mark.parametrize(
    "fields", [{"discount": 0.0}, {"discount": 1.01}, {"done_at": 0.0}, {"weight": -1.0}]
)
def test_a_wrong_configuration_is_refused(fields: dict, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=next(iter(fields))):
        make(wrapper("shaped", source=told(), **fields), hardware)
