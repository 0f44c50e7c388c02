"""Wrappers that turn one value into another: clipped, delta, normalised, centred."""

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_rewards.wrappers import centred, normalised
from sinew_rewards.wrappers.statistics import episode_values

from tests.contract.observations import TASK, affordances, episode, observe
from tests.rewards.wrappers.stand_ins import make, named, run, told, wrapper


def values(spec: dict, hardware: Hardware, steps: int) -> list[float]:
    return [each.value for each in run(spec, hardware, steps)]


def test_clipped_cuts_off_and_says_so(hardware: Hardware) -> None:
    said = run(wrapper("clipped", source=told(-3.0, 0.25, 9.0), low=-0.5, high=0.5), hardware, 3)
    assert [each.value for each in said] == [-0.5, 0.25, 0.5]
    assert [each.terms["cut"] for each in said] == [1.0, 0.0, 1.0]
    assert [each.terms["clipped"] for each in said] == [-3.0, 0.25, 9.0]


def test_clipped_limits_the_uncertainty_too(hardware: Hardware) -> None:
    spec = wrapper("clipped", source=told(0.0, uncertainty=[9.0]), low=-0.5, high=0.5)
    assert run(spec, hardware, 1)[0].uncertainty == 0.5


def test_limits_the_wrong_way_round_are_refused(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="low < high, got 1"):
        make(wrapper("clipped", source=told(), low=1.0, high=0.0), hardware)


def test_differences_add_up_to_where_the_episode_ends(hardware: Hardware) -> None:
    said = values(wrapper("delta", source=told(0.5, -2.0, 3.0, 1.25), scale=2.0), hardware, 4)
    assert said[0] == 0.0
    assert sum(said) == pytest.approx(2.0 * (1.25 - 0.5))


def test_staying_and_going_to_and_fro_gain_nothing_by_differences(hardware: Hardware) -> None:
    stays = values(wrapper("delta", source=told(0.5)), hardware, 50)
    turns = values(wrapper("delta", source=told(*[0.0, 1.0] * 25, 0.0)), hardware, 51)
    assert sum(stays) == sum(turns) == 0.0


def test_progress_out_of_sight_is_paid_when_it_is_seen_again(hardware: Hardware) -> None:
    source = told(0.0, progress=[0.1, None, None, 0.4])
    said = run(wrapper("delta", source=source, of="progress"), hardware, 4)
    assert [each.value for each in said] == [0.0, 0.0, 0.0, pytest.approx(0.3)]
    assert said[1].uncertainty == 1.0
    assert said[1].terms["known"] == 0.0


def test_clipped_then_delta_is_not_delta_then_clipped(hardware: Hardware) -> None:
    source = told(0.0, 5.0, 0.0)
    inside = wrapper("delta", source=wrapper("clipped", source=source, low=-1.0, high=1.0))
    outside = wrapper("clipped", source=wrapper("delta", source=source), low=-1.0, high=4.0)
    assert sum(values(inside, hardware, 3)) == 0.0
    assert sum(values(outside, hardware, 3)) == 3.0


def test_normalised_values_have_mean_0_and_variance_1_where_they_were_fitted(hardware: Hardware) -> None:
    drawn = np.random.default_rng(1).normal(-40.0, 7.0, 30)
    config = normalised.fit(told(*drawn), drawn)
    statistics = {"mean": config.statistics.mean, "std": config.statistics.std}
    found = values(wrapper("normalised", source=told(*drawn), statistics=statistics), hardware, 30)
    assert np.mean(found) == pytest.approx(0.0, abs=1e-12)
    assert np.std(found, ddof=1) == pytest.approx(1.0)


def test_normalised_cuts_off_at_its_limit(hardware: Hardware) -> None:
    spec = wrapper("normalised", source=told(1e9), statistics={"mean": 0.0, "std": 1.0}, limit=5.0)
    assert run(spec, hardware, 1)[0].value == 5.0


def test_normalising_without_statistics_is_refused(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="missing key statistics"):
        make(wrapper("normalised", source=told()), hardware)
    with pytest.raises(ConfigError, match="no spread to divide by"):
        normalised.fit(told(), np.zeros(9))
    with pytest.raises(ConfigError, match="at least two finite values"):
        normalised.fit(told(), [1.0])


def test_centred_values_have_mean_0_where_they_were_fitted(hardware: Hardware) -> None:
    drawn = [3.0, 4.0, 8.0]
    config = centred.fit(told(*drawn), drawn)
    assert values(wrapper("centred", source=told(*drawn), mean=config.mean), hardware, 3) == [-2.0, -1.0, 3.0]
    with pytest.raises(ConfigError, match="at least one"):
        centred.fit(told(), [])


def test_an_episode_is_valued_from_its_beginning(hardware: Hardware) -> None:
    model = make(named("goal_distance"), hardware)
    observations = list(episode(hardware, next(affordances(hardware)), 6))
    expected = [model.estimate(observation).value for observation in observations]
    for _ in range(2):
        assert episode_values(model, TASK, observations).tolist() == expected
    assert episode_values(make(told(1.0, 2.0), hardware), TASK, [observe(hardware)] * 3).tolist() == [1, 2, 2]
