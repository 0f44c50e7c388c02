"""Rewards beside recorded episodes: joined by exact stamp, whole or not there, told apart from damage."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from made_episodes import make_hardware, record_steps
from sinew_core.errors import ConfigError
from sinew_core.types import RewardEstimate
from sinew_data.command import main
from sinew_data.dataset import Dataset
from sinew_data.rewards_beside import Estimates, join
from sinew_data.rewards_beside_files import beside_path, drop_beside, list_beside, load_beside, save_beside

STAMPS = [100, 200, 300, 400]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    hardware = make_hardware(tmp_path)
    for _ in range(2):
        record_steps(tmp_path / "data", hardware, 4)
    return Dataset(tmp_path / "data")


def estimates(values: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0)) -> Estimates:
    said = [
        RewardEstimate(stamp, value, success=0.5, terms={"near": value / 2})
        for stamp, value in zip(STAMPS, values, strict=True)
    ]
    return join(STAMPS, said).estimates


def test_late_estimates_find_their_step_in_whatever_order_they_come() -> None:
    late = [RewardEstimate(stamp, float(stamp)) for stamp in (300, 100, 400, 200)]
    assert join(STAMPS, late).estimates.value.tolist() == [100, 200, 300, 400]


def test_an_estimate_of_an_unknown_stamp_is_counted_and_never_shifted() -> None:
    joined = join(STAMPS, [RewardEstimate(100, 1.0), RewardEstimate(201, 9.0), RewardEstimate(50, 9.0)])
    assert joined.unknown == 2
    assert joined.missing == 3
    assert 9.0 not in joined.estimates.value
    assert joined.estimates.at(200) is None


def test_of_two_estimates_of_one_stamp_the_last_counts() -> None:
    joined = join(STAMPS, [RewardEstimate(100, 1.0), RewardEstimate(100, 2.0)])
    assert joined.repeated == 1
    assert joined.estimates.value[0] == 2.0


def test_a_value_that_is_no_number_is_left_out_and_counted() -> None:
    joined = join(STAMPS, [RewardEstimate(100, float("nan")), RewardEstimate(200, float("inf"))])
    assert joined.unusable == 2
    assert joined.missing == 4


def test_what_a_reward_did_not_say_stays_unsaid() -> None:
    said = [RewardEstimate(100, 1.0, terms={"near": 0.5}), RewardEstimate(200, 1.0, success=0.2)]
    found = join(STAMPS, said).estimates
    first, second = found.at(100), found.at(200)
    assert first == said[0]
    assert second == said[1]


def test_stamps_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        join([100, 100], [])


def test_a_reward_is_read_back_as_it_was_written(dataset: Dataset) -> None:
    episode = dataset.paths()[0]
    save_beside(episode, "mine", estimates(), {"model": "goal_distance"})
    found, provenance = load_beside(episode, "mine")
    np.testing.assert_array_equal(found.stamps, STAMPS)
    np.testing.assert_array_equal(found.value, [1, 2, 3, 4])
    np.testing.assert_array_equal(found.terms["near"], [0.5, 1, 1.5, 2])
    assert np.isnan(found.progress).all()
    assert provenance == {"model": "goal_distance"}


def test_a_reward_beside_an_episode_leaves_the_dataset_as_it_was(dataset: Dataset) -> None:
    before = [path.read_bytes() for path in dataset.paths()]
    save_beside(dataset.paths()[0], "mine", estimates(), {})
    assert [path.read_bytes() for path in dataset.paths()] == before
    assert len(dataset.episodes()) == 2


def test_several_rewards_lie_beside_one_episode(dataset: Dataset) -> None:
    episode = dataset.paths()[0]
    save_beside(episode, "a", estimates(), {})
    save_beside(episode, "b", estimates((5.0, 6.0, 7.0, 8.0)), {})
    assert load_beside(episode, "a")[0].value[0] == 1.0
    assert load_beside(episode, "b")[0].value[0] == 5.0
    assert [(one.episode, one.name) for one in list_beside(dataset)] == [
        (episode.stem, "a"),
        (episode.stem, "b"),
    ]


def test_an_interrupted_write_leaves_the_old_reward_whole(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = dataset.paths()[0]
    save_beside(episode, "mine", estimates(), {})

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_beside(episode, "mine", estimates((9.0, 9.0, 9.0, 9.0)), {})
    assert load_beside(episode, "mine")[0].value[0] == 1.0
    names = {path.name for path in episode.parent.iterdir()}
    assert names == {path.name for path in dataset.paths()} | {beside_path(episode, "mine").name}


def test_a_name_that_leads_out_of_the_folder_is_refused(dataset: Dataset) -> None:
    for name in ("", "../x", "a.b", "a b"):
        with pytest.raises(ConfigError, match="expected a name"):
            save_beside(dataset.paths()[0], name, estimates(), {})


def test_a_missing_reward_is_named_with_those_there_are(dataset: Dataset) -> None:
    episode = dataset.paths()[0]
    save_beside(episode, "first_try", estimates(), {})
    with pytest.raises(ConfigError, match=r"'first_tri'.*relabel.*Did you mean 'first_try'"):
        load_beside(episode, "first_tri")


def test_a_damaged_reward_is_told_and_hides_no_other(dataset: Dataset) -> None:
    first, second = dataset.paths()
    path = save_beside(first, "mine", estimates(), {})
    save_beside(second, "mine", estimates(), {})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ConfigError, match="is no reward"):
        load_beside(first, "mine")
    assert [bool(one.problem) for one in list_beside(dataset)] == [True, False]


def test_a_pickle_in_place_of_a_reward_is_never_loaded(dataset: Dataset) -> None:
    episode = dataset.paths()[0]
    np.savez(beside_path(episode, "evil").with_suffix(""), facts=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ConfigError, match="is no reward"):
        load_beside(episode, "evil")


def test_a_reward_whose_episode_is_gone_says_so(dataset: Dataset) -> None:
    episode = dataset.paths()[0]
    save_beside(episode, "mine", estimates(), {})
    episode.unlink()
    (found,) = list_beside(dataset)
    assert "not here any more" in found.problem


def test_dropping_a_reward_leaves_the_episodes_and_the_other_rewards(dataset: Dataset) -> None:
    for episode in dataset.paths():
        save_beside(episode, "a", estimates(), {})
        save_beside(episode, "b", estimates(), {})
    assert drop_beside(dataset, "a") == 2
    assert {one.name for one in list_beside(dataset)} == {"b"}
    assert len(dataset.episodes()) == 2
    with pytest.raises(ConfigError, match="no reward 'a'"):
        drop_beside(dataset, "a")


def test_rewards_go_where_their_episode_goes(dataset: Dataset, tmp_path: Path) -> None:
    first, second = dataset.paths()
    for episode in (first, second):
        save_beside(episode, "steps", estimates(), {})
    target = tmp_path / "all"
    assert main(["merge", str(dataset.path), "--into", str(target)]) == 0
    copies = {item.episode for item in list_beside(Dataset(target)) if not item.problem}
    assert copies == {first.stem, second.stem}
    assert main(["drop", str(dataset.path), first.stem]) == 0
    aside = beside_path(dataset.path / "discarded" / first.name, "steps")
    assert aside.is_file()
    assert not beside_path(first, "steps").exists()
    assert main(["drop", str(dataset.path), "--purge", "--force"]) == 0
    assert not aside.exists()
    assert beside_path(second, "steps").is_file()
