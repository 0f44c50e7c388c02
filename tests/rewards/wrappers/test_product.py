"""Progress times soft factors: what it pays, and what it never pays."""

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware

from tests.rewards.wrappers.stand_ins import make, run, told, wrapper

SPEED = {"worst": 2.0, "best": 1.0, "read": "speed", "floor": 0.1}


def values(hardware: Hardware, progress: list[float | None], **fields: object) -> list[float]:
    spec = wrapper("product", progress=told(0.0, progress=progress), **fields)
    return [each.value for each in run(spec, hardware, len(progress))]


@pytest.mark.parametrize("seed", range(5))
def test_an_episode_pays_at_most_the_scale_and_nothing_below_0(seed: int, hardware: Hardware) -> None:
    way = np.random.default_rng(seed).uniform(0, 1, 30).tolist()
    paid = values(hardware, way, scale=100.0)
    assert min(paid) >= 0.0
    assert sum(paid) == pytest.approx(100.0 * (max(way) - way[0]))


def test_standing_still_and_going_to_and_fro_are_worth_nothing(hardware: Hardware) -> None:
    assert sum(values(hardware, [0.4] * 20)) == 0.0
    assert sum(values(hardware, [0.4, 0.2] * 10)) == 0.0


def test_soft_faults_take_a_share_of_the_progress(hardware: Hardware) -> None:
    progress = told(0.0, progress=[0.0, 0.2, 0.4, 0.6], terms={"speed": [0.0, 1.0, 1.5, 9.0]})
    said = run(wrapper("product", progress=progress, factors={"speed": SPEED}), hardware, 4)
    assert [each.value for each in said] == pytest.approx([0.0, 0.2, 0.2 * 0.55, 0.2 * 0.1])
    assert [each.terms["factor.speed"] for each in said] == pytest.approx([1.0, 1.0, 0.55, 0.1])


def test_factors_multiply_and_may_come_from_other_rewards(hardware: Hardware) -> None:
    factors = {
        "comfort": {"worst": -1.0, "best": 0.0, "source": told(-0.5)},
        "care": {"worst": 0.0, "best": 1.0, "read": "success", "source": told(0.0, success=[0.4])},
    }
    said = run(wrapper("product", progress=told(0.0, progress=[0.0, 1.0]), factors=factors), hardware, 2)
    assert said[1].value == pytest.approx(0.5 * 0.4)
    assert said[1].terms["product.factors.comfort"] == -0.5


def test_a_hard_fault_ends_all_pay_until_the_next_episode(hardware: Hardware) -> None:
    progress = told(
        0.0, progress=[0.0, 0.2, 0.4, 0.6], success=[0.0, 0.0, 0.0, 1.0], terms={"force": [0, 0, 9, 0]}
    )
    fails = {"force": {"read": "force", "limit": 5.0}}
    said = run(wrapper("product", progress=progress, fails=fails), hardware, 4)
    assert [each.value for each in said] == pytest.approx([0.0, 0.2, 0.0, 0.0])
    assert [each.success for each in said] == [0.0, 0.0, 0.0, 0.0]
    assert [each.terms["failed"] for each in said] == [0.0, 0.0, 1.0, 1.0]


def test_a_fault_may_lie_below_its_limit(hardware: Hardware) -> None:
    fails = {"low": {"limit": -0.5, "side": "below"}}
    said = run(wrapper("product", progress=told(-1.0, progress=[0.0, 0.5]), fails=fails), hardware, 2)
    assert said[1].value == 0.0


def test_what_cannot_be_read_is_said_and_costs(hardware: Hardware) -> None:
    progress = told(0.0, progress=[0.0, 0.5])
    fails = {"force": {"read": "force", "limit": 5.0}}
    said = run(wrapper("product", progress=progress, factors={"speed": SPEED}, fails=fails), hardware, 2)
    assert said[1].value == pytest.approx(0.5 * 0.1)
    assert said[1].terms["unread"] == 2.0
    assert said[1].uncertainty == pytest.approx(0.5)


def test_unknown_progress_pays_nothing_and_is_said(hardware: Hardware) -> None:
    spec = wrapper("product", progress=told(0.0, progress=[0.1, None, 0.4]), scale=10.0)
    said = run(spec, hardware, 3)
    assert [each.value for each in said] == pytest.approx([0.0, 0.0, 3.0])
    assert said[1].uncertainty == 10.0


def test_an_additive_reward_pays_for_standing_still_where_the_product_does_not(hardware: Hardware) -> None:
    """The baseline: the same terms added up, as a vector."""
    objectives = {
        "progress": {"source": wrapper("delta", source=told(0.0, progress=[0.4]), of="progress")},
        "comfort": {"source": told(1.0), "weight": 0.1},
    }
    added = sum(each.value for each in run(wrapper("vector", objectives=objectives), hardware, 20))
    factors = {"comfort": {"worst": 0.0, "best": 1.0, "source": told(1.0)}}
    multiplied = sum(values(hardware, [0.4] * 20, factors=factors))
    assert added > 1.0
    assert multiplied == 0.0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scale": 0.0}, "scale"),
        ({"factors": {"speed": {"worst": 1.0, "best": 1.0}}}, "got 1.0 twice"),
        ({"factors": {"speed": {**SPEED, "floor": 1.0}}}, "floor"),
        ({"factors": {"speed": {"worst": 1.0}}}, "missing key best"),
        ({"fails": {"force": {"limit": 1.0, "side": "beside"}}}, "Available: above, below"),
    ],
)
def test_a_wrong_configuration_is_refused(fields: dict, sentence: str, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make(wrapper("product", progress=told(), **fields), hardware)
