"""Going back to a checkpoint: sampling is then what it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay_makers import SCHEMA, Episode, action, lined_up, observation, play, reward
from sinew_data.replay import ReplayBuffer, ReplayError, state_file

LINE = lined_up([(4, "truncated")] * 30)


def drawn(buffer: ReplayBuffer) -> list[Any]:
    batch = buffer.sample(np.random.default_rng(0), 64, n_step=3, discount=0.9)
    arrays = (*batch.observation.values(), *batch.next_observation.values(), batch.reward, batch.discount)
    return [array.copy() for array in (*arrays, batch.action, batch.intervention)]


@pytest.mark.parametrize("on_disk", [True, False])
@pytest.mark.parametrize("capacity", [1000, 40, 17])
@pytest.mark.parametrize("later", [1, 3])
def test_keeping_gives_the_same_samples_as_before_even_in_a_full_ring(
    tmp_path: Path, on_disk: bool, capacity: int, later: int
) -> None:
    folder = tmp_path / "replay" if on_disk else None
    buffer = ReplayBuffer.create(folder, SCHEMA, capacity, spare=16)
    for episode in LINE[:20]:
        play(buffer, episode)
    before, count, length = drawn(buffer), buffer.added, len(buffer)
    for episode in LINE[20 : 20 + later]:
        play(buffer, episode)
    if on_disk:
        buffer.close()
        buffer = ReplayBuffer.open(tmp_path / "replay")
    buffer.keep(count)
    assert (buffer.added, len(buffer)) == (count, length)
    np.testing.assert_equal(drawn(buffer), before)
    play(buffer, LINE[20])
    assert buffer.added == count + 4
    buffer.close()


def test_keeping_in_the_middle_of_an_episode_breaks_it_off() -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 100)
    play(buffer, LINE[0])
    play(buffer, Episode(5, 4, "running"))
    buffer.keep(6)
    with pytest.raises(ReplayError, match="no episode is running"):
        buffer.add(action(7), reward(7), observation(8))
    batch = buffer.sample(np.random.default_rng(0), 50, n_step=9)
    assert set(batch.next_observation["state"][:, 0]) == {4.0, 7.0}


def test_keeping_all_and_keeping_none() -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 100)
    buffer.keep(0)
    play(buffer, Episode(0, 4, "truncated", frozenset({1, 3})))
    before = drawn(buffer)
    buffer.keep(4)
    np.testing.assert_equal(drawn(buffer), before)
    buffer.keep(2)
    assert buffer.interventions == 1
    buffer.keep(0)
    assert (buffer.added, len(buffer), buffer.interventions) == (0, 0, 0)


def ten(folder: Path | None) -> ReplayBuffer:
    """50 rows in a ring that has 31 slots for 20."""
    buffer = ReplayBuffer.create(folder, SCHEMA, 20, spare=11)
    for episode in LINE[:10]:
        play(buffer, episode)
    return buffer


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_was_or_may_be_written_over_cannot_be_kept(tmp_path: Path, on_disk: bool) -> None:
    """A write that was broken off may have spoilt one row more than have come."""
    with ten(tmp_path / "replay" if on_disk else None) as buffer:
        with pytest.raises(ReplayError, match=r"keep\(31\): 40 were added.*Up to 10 rows"):
            buffer.keep(31)
        buffer.keep(32)  # two episodes back: ten rows
        before = drawn(buffer)
        with pytest.raises(ReplayError, match=r"keep\(31\): 32 were added"):
            buffer.keep(31)
        with pytest.raises(ReplayError, match=r"keep\(33\): 32 transitions were ever added"):
            buffer.keep(33)
        np.testing.assert_equal(drawn(buffer), before)


def test_taking_back_is_remembered_over_a_kill(tmp_path: Path) -> None:
    with ten(tmp_path / "replay") as buffer:
        buffer.keep(36)
        before = drawn(buffer)
        shutil.copytree(tmp_path / "replay", tmp_path / "killed")
    with ReplayBuffer.open(tmp_path / "killed") as buffer:
        np.testing.assert_equal(drawn(buffer), before)
        with pytest.raises(ReplayError, match="written over"):
            buffer.keep(31)


def test_rows_that_a_power_cut_took_have_written_over_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ten(tmp_path / "replay") as buffer:
        buffer.flush()
        for episode in LINE[10:12]:
            play(buffer, episode)
        shutil.copytree(tmp_path / "replay", tmp_path / "cut")
    monkeypatch.setattr(state_file, "boot", lambda: b"another boot 16.")
    with ReplayBuffer.open(tmp_path / "cut") as buffer:
        assert buffer.added == 40
        with pytest.raises(ReplayError, match="written over"):
            buffer.keep(36)
