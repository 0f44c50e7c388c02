"""Preference as reward: bounds, the middle, references from a list and from a file."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_rewards.wrappers.references import fingerprint, save_references

from tests.rewards.wrappers.stand_ins import make, run, told, wrapper

NAME = "preference_as_reward"


def values(hardware: Hardware, *said: float, **fields: object) -> list[float]:
    spec = wrapper(NAME, source=told(*said), **fields)
    return [each.value for each in run(spec, hardware, len(said))]


def test_it_is_a_half_at_the_reference(hardware: Hardware) -> None:
    assert values(hardware, -3.25, references=[-3.25]) == [0.5]
    assert values(hardware, 7.0, references=[7.0], scale=0.1) == [0.5]


def test_it_lies_above_0_and_below_1_whatever_the_reward(hardware: Hardware) -> None:
    for value in values(hardware, -1e300, -1e6, 0.0, 1e6, 1e300, references=[0.0, 5.0]):
        assert 0.0 < value < 1.0


def test_it_rises_with_the_reward_and_ever_more_slowly_above_the_reference(hardware: Hardware) -> None:
    found = values(hardware, *np.linspace(0.0, 5.0, 20), references=[0.0])
    steps = np.diff(found)
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()


def test_several_references_give_the_mean_of_their_chances(hardware: Hardware) -> None:
    both = values(hardware, 0.7, references=[0.2, 1.5])[0]
    each = [values(hardware, 0.7, references=[one])[0] for one in (0.2, 1.5)]
    assert both == pytest.approx(np.mean(each))


def test_the_return_so_far_is_compared_with_whole_episodes(hardware: Hardware) -> None:
    found = values(hardware, 1.0, 1.0, 1.0, references=[3.0], compared="return")
    assert found[2] == 0.5
    assert found[0] == pytest.approx(1 / (1 + np.exp(2.0)))


def test_its_differences_add_up_to_the_preference_of_the_whole(hardware: Hardware) -> None:
    source = wrapper(NAME, source=told(0.5, -1.0, 2.0, 0.25), references=[1.0], compared="return")
    whole = [each.value for each in run(source, hardware, 4)]
    parts = [each.value for each in run(wrapper("delta", source=source), hardware, 4)]
    assert sum(parts) == pytest.approx(whole[-1] - whole[0])


def test_a_hack_without_bound_is_worth_no_more_than_the_rest_of_the_way(hardware: Hardware) -> None:
    honest, hack = values(hardware, 2.0, 1e9, references=[0.0])
    assert hack / honest < 1.14


def test_the_uncertainty_shrinks_with_the_slope(hardware: Hardware) -> None:
    spec = wrapper(NAME, source=told(0.0, 8.0, uncertainty=[0.5]), references=[0.0])
    middle, far = (each.uncertainty for each in run(spec, hardware, 2))
    assert middle == pytest.approx(0.125)
    assert far is not None
    assert 0.0 < far < 0.001


def test_references_come_from_a_file(hardware: Hardware, tmp_path: Path) -> None:
    file, source = tmp_path / "base.json", told(2.0)
    save_references(file, source, "value", [2.0, 2.0])
    spec = wrapper(NAME, source=source, file=str(file))
    assert run(spec, hardware, 1)[0].value == 0.5


def test_a_file_of_another_reward_kind_or_version_is_refused(hardware: Hardware, tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    save_references(file, told(3.0), "value", [2.0])
    with pytest.raises(ConfigError, match="by another reward"):
        make(wrapper(NAME, source=told(2.0), file=str(file)), hardware)
    save_references(file, told(2.0), "return", [2.0])
    with pytest.raises(ConfigError, match="of kind 'return', expected 'value'"):
        make(wrapper(NAME, source=told(2.0), file=str(file)), hardware)
    file.write_text('{"format": "sinew-references/9"}')
    with pytest.raises(ConfigError, match="is of version 'sinew-references/9'"):
        make(wrapper(NAME, source=told(2.0), file=str(file)), hardware)
    file.write_text('{"format": "sinew-references/1", "compared": "value", "source": "", "values": [NaN]}')
    with pytest.raises(ConfigError, match="finite number"):
        make(wrapper(NAME, source=told(2.0), file=str(file)), hardware)
    file.write_text("[1, 2")
    with pytest.raises(ConfigError, match=r"base\.json"):
        make(wrapper(NAME, source=told(2.0), file=str(file)), hardware)
    with pytest.raises(ConfigError, match=r"none\.json"):
        make(wrapper(NAME, source=told(2.0), file=str(tmp_path / "none.json")), hardware)


def test_references_of_other_weights_are_those_of_another_reward(tmp_path: Path) -> None:
    weights = tmp_path / "reward.safetensors"
    weights.write_bytes(b"first")
    source = wrapper("ensemble", members=[told(), {"plugin": "a:B", "weights": str(weights)}])
    before = fingerprint(source)
    assert fingerprint(source) == before
    weights.write_bytes(b"second")
    assert fingerprint(source) != before


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "either `references` or a `file`"),
        ({"references": [0.0], "file": "base.json"}, "either `references` or a `file`"),
        ({"references": list(itertools.repeat(0.0, 11))}, "1 to 10 references, got 11"),
        ({"references": [0.0], "scale": 0.0}, "scale: expected above 0"),
    ],
)
def test_a_wrong_configuration_is_refused(fields: dict, sentence: str, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make(wrapper(NAME, source=told(), **fields), hardware)
