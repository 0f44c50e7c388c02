"""What members come to together, and what an exploit in one of them is worth."""

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_rewards.wrappers.ensemble import Config, Rule, combine, fit

from tests.contract.observations import TASK, observe
from tests.rewards.wrappers.stand_ins import make, run, told, wrapper

RULES: tuple[Rule, ...] = ("mean", "worst", "minus_variance", "robust_mix")
TWO = (told(), told())
# Three ways to go, as three members grade them. The second member can be fooled on the third way.
HONEST, WORSE, EXPLOIT = (0.6, 0.62, 0.58), (0.3, 0.28, 0.31), (0.1, 5.0, 0.05)


def value(rule: Rule, values: tuple[float, ...], doubts: tuple[float, ...] = (0.0, 0.0, 0.0)) -> float:
    return combine(np.array(values), np.array(doubts), Config(TWO, rule))


def chosen(rule: Rule, doubts: tuple[float, ...] = (0.0, 0.0, 0.0)) -> str:
    ways = {"honest": HONEST, "worse": WORSE, "exploit": EXPLOIT}
    return max(ways, key=lambda way: value(rule, ways[way], doubts))


def test_three_members_by_hand() -> None:
    assert value("mean", (1.0, 2.0, 3.0)) == 2.0
    assert value("worst", (1.0, 2.0, 3.0)) == 1.0
    assert value("minus_variance", (1.0, 2.0, 3.0)) == 2.0 - 0.5 * 1.0  # the unbiased variance is 1
    assert value("robust_mix", (1.0, 2.0, 3.0), (0.5, 0.5, 0.1)) == pytest.approx(0.6 * 3.0 + 0.4 * 1.0)


def test_the_mean_picks_a_planted_exploit() -> None:
    assert chosen("mean") == "exploit"


@pytest.mark.parametrize("rule", ["worst", "minus_variance"])
def test_pessimism_does_not_pick_a_planted_exploit(rule: Rule) -> None:
    assert chosen(rule) == "honest"


def test_the_robust_mix_avoids_an_exploit_of_a_member_that_doubts_itself() -> None:
    assert chosen("robust_mix", (0.1, 2.0, 0.1)) == "honest"


def test_the_ends_of_the_robust_mix_are_the_nominal_member_and_the_worst_case() -> None:
    values, doubts = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.1, 0.4])
    assert combine(values, doubts, Config(TWO, "robust_mix", nominal_weight=1.0)) == 2.0
    assert combine(values, doubts, Config(TWO, "robust_mix", nominal_weight=0.0)) == 1.0


def test_no_rule_is_above_the_mean_of_agreeing_members_or_below_the_least() -> None:
    for rule in RULES:
        assert value(rule, (0.4, 0.4, 0.4)) == pytest.approx(0.4)


def test_the_exploit_in_one_member_as_episodes_meet_it(hardware: Hardware) -> None:
    """Steps 0 to 2 are the three ways; a policy would stay where the value is greatest."""
    ways = (HONEST, WORSE, EXPLOIT)
    members = [told(*(way[i] for way in ways)) for i in range(3)]
    best = {
        rule: max(
            range(3),
            key=[
                each.value for each in run(wrapper("ensemble", members=members, rule=rule), hardware, 3)
            ].__getitem__,
        )
        for rule in ("mean", "worst", "minus_variance")
    }
    assert best == {"mean": 2, "worst": 0, "minus_variance": 0}


def test_members_of_other_units_weigh_the_same_once_standardised(hardware: Hardware) -> None:
    rng = np.random.default_rng(0)
    small, large = rng.normal(0.0, 1.0, 50), rng.normal(300.0, 1000.0, 50)
    config = fit(Config(TWO, "worst"), [small, large])
    statistics = [{"mean": each.mean, "std": each.std} for each in config.statistics]
    members = [told(small.mean() + 1.0), told(large.mean() - 2 * large.std(ddof=1))]
    said = run(wrapper("ensemble", members=members, rule="worst", statistics=statistics), hardware, 1)[0]
    assert said.value == pytest.approx(-2.0)
    assert said.terms["ensemble.1"] == pytest.approx(large.mean() - 2 * large.std(ddof=1))
    assert said.terms["standard.1"] == pytest.approx(-2.0)


def test_what_one_episode_was_like_does_not_change_the_next(hardware: Hardware) -> None:
    statistics = [{"mean": 0.0, "std": 1.0}, {"mean": 1.0, "std": 2.0}]
    spec = wrapper("ensemble", members=[told(1.0, 50.0, -9.0), told(0.0, 7.0)], statistics=statistics)
    model = make(spec, hardware)
    first = [model.estimate(observe(hardware, step=step)).value for step in range(2)]
    for step in range(200):
        model.estimate(observe(hardware, step=step))
    model.reset(TASK)
    assert first == [model.estimate(observe(hardware, step=step)).value for step in range(2)]


def test_uncertainty_is_disagreement_and_the_members_own(hardware: Hardware) -> None:
    agreeing = [told(0.5, uncertainty=[0.3]), told(0.5, uncertainty=[0.4])]
    disagreeing = [told(0.0), told(1.0)]
    assert run(wrapper("ensemble", members=agreeing), hardware, 1)[0].uncertainty == pytest.approx(
        np.sqrt((0.09 + 0.16) / 2)
    )
    assert run(wrapper("ensemble", members=disagreeing), hardware, 1)[0].uncertainty == pytest.approx(
        np.std([0.0, 1.0], ddof=1)
    )


@pytest.mark.parametrize(("rule", "expected"), [("mean", 0.6), ("worst", 0.3), ("minus_variance", 0.3)])
def test_success_is_the_mean_or_the_least_of_all(rule: str, expected: float, hardware: Hardware) -> None:
    members = [told(0.0, success=[0.9]), told(0.0, success=[0.3])]
    assert run(wrapper("ensemble", members=members, rule=rule), hardware, 1)[0].success == pytest.approx(
        expected
    )


def test_success_that_one_member_does_not_know_is_unknown(hardware: Hardware) -> None:
    members = [told(0.0, success=[1.0]), told(0.0)]
    assert run(wrapper("ensemble", members=members), hardware, 1)[0].success is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"members": [told()]}, "at least 2 rewards, got 1"),
        ({"members": TWO, "rule": "worse"}, "Did you mean 'worst'"),
        ({"members": TWO, "statistics": [{"mean": 0.0, "std": 1.0}]}, "one for each of the 2 members"),
        ({"members": TWO, "statistics": [{"mean": 0.0, "std": 0.0}] * 2}, "std: expected above 0"),
        ({"members": TWO, "variance_weight": -1.0}, "variance_weight"),
        ({"members": TWO, "nominal_weight": 1.5}, "nominal_weight"),
    ],
)
def test_a_wrong_configuration_is_refused(fields: dict, sentence: str, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make(wrapper("ensemble", **fields), hardware)


def test_a_member_that_never_changes_cannot_be_standardised() -> None:
    with pytest.raises(ConfigError, match=r"members\[1\] is 2 on all 5 observations"):
        fit(Config(TWO), [np.arange(5.0), np.full(5, 2.0)])
    with pytest.raises(ConfigError, match="values of 2 members, got those of 1"):
        fit(Config(TWO), [np.arange(5.0)])
    with pytest.raises(ConfigError, match="finite"):
        fit(Config(TWO), [np.arange(5.0), np.array([1.0, np.nan])])
