"""Going back to a checkpoint: sampling is then what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay_makers import SCHEMA, Episode, action, lined_up, observation, play, reward
from sinew_data.replay import ReplayBuffer, ReplayError

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
    play(buffer, LINE[1])
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


def test_what_was_written_over_cannot_be_kept(tmp_path: Path) -> None:
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 20, spare=11) as buffer:
        for episode in LINE[:10]:
            play(buffer, episode)
        buffer.keep(32)  # two episodes back: ten rows
        before = drawn(buffer)
        with pytest.raises(ReplayError, match=r"keep\(28\): 32 were added.*Up to 10 rows"):
            buffer.keep(28)
        with pytest.raises(ReplayError, match=r"keep\(33\): 32 transitions were ever added"):
            buffer.keep(33)
        np.testing.assert_equal(drawn(buffer), before)


def test_taking_back_is_remembered_over_reopening(tmp_path: Path) -> None:
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 20, spare=11) as buffer:
        for episode in LINE[:10]:
            play(buffer, episode)
        buffer.keep(36)
        before = drawn(buffer)
    with ReplayBuffer.open(tmp_path / "replay") as buffer:
        np.testing.assert_equal(drawn(buffer), before)
        with pytest.raises(ReplayError, match="written over"):
            buffer.keep(28)
