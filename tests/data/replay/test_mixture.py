"""Two buffers as one: whose rows are where in a batch, and which steps go where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from replay_makers import SCHEMA, Episode, action, check_batch, lined_up, observation, play, reward
from sinew_data.replay import Mixture, ReplayBuffer, ReplayError, Schema

LINE = lined_up([(5, "truncated")] * 4)
RNG = np.random.default_rng(0)


def made(online: list[Episode], demonstrations: list[Episode], share: float = 0.5) -> Mixture:
    buffers = [ReplayBuffer.create(None, SCHEMA, 100) for _ in range(2)]
    for buffer, episodes in zip(buffers, (online, demonstrations), strict=True):
        for episode in episodes:
            play(buffer, episode)
    return Mixture(*buffers, share=share)


@pytest.mark.parametrize(
    ("share", "online", "demonstrations"),
    [(0.5, 32, 32), (0.25, 48, 16), (0.0, 64, 0), (1.0, 0, 64)],
)
def test_the_online_rows_come_first_and_the_shares_are_exact(
    share: float, online: int, demonstrations: int
) -> None:
    mixture = made(LINE[:2], LINE[2:], share)
    batch = mixture.sample(RNG, 64, n_step=2, discount=0.9)
    check_batch(batch, LINE, 2, 0.9)
    np.testing.assert_array_equal(batch.observation["state"][:, 0] >= LINE[2].first, np.arange(64) >= online)
    assert mixture.demonstrated(64) == demonstrations


def test_while_one_is_empty_the_other_gives_all() -> None:
    for online, demonstrations, marked in (([], LINE, 0), (LINE, [], 0)):
        mixture = made(online, demonstrations)
        check_batch(mixture.sample(RNG, 33), LINE, 1, 1.0)
        assert mixture.demonstrated(33) == (33 if demonstrations else marked)
    with pytest.raises(ReplayError, match="no transitions"):
        made([], []).sample(RNG, 8)


def test_a_persons_steps_go_to_both_and_each_run_is_an_episode_of_its_own() -> None:
    """Steps 0 to 9: a person acts in 2, 3, 4 and in 7, and again in the last one."""
    mixture = made([], [])
    play(mixture, Episode(0, 10, "terminated", frozenset({2, 3, 4, 7, 9})))
    play(mixture, Episode(11, 3, "truncated", frozenset({0})))
    assert (mixture.online.added, mixture.online.interventions) == (13, 6)
    assert (mixture.demonstrations.added, mixture.demonstrations.interventions) == (6, 6)
    runs = [Episode(2, 3), Episode(7, 1), Episode(9, 1, "terminated"), Episode(11, 1)]
    batch = mixture.demonstrations.sample(RNG, 200, n_step=5, discount=0.9)
    assert check_batch(batch, runs, 5, 0.9) == {2, 3, 4, 7, 9, 11}
    assert batch.intervention.all()


def test_a_persons_last_step_at_a_timeout_ends_the_fragment() -> None:
    mixture = made([], [])
    play(mixture, Episode(0, 3, "truncated", frozenset({1, 2})))
    play(mixture, Episode(4, 3, "truncated", frozenset({0, 1})))
    batch = mixture.demonstrations.sample(RNG, 200, n_step=9, discount=0.9)
    assert check_batch(batch, [Episode(1, 2), Episode(4, 2)], 9, 0.9) == {1, 2, 4, 5}


def test_a_new_episode_ends_a_fragment_that_was_running() -> None:
    mixture = made([], [])
    play(mixture, Episode(0, 3, "broken off", frozenset({1, 2})))
    play(mixture, Episode(4, 3, "broken off", frozenset({0})))
    batch = mixture.demonstrations.sample(RNG, 200, n_step=9)
    assert check_batch(batch, [Episode(1, 2), Episode(4, 1)], 9, 1.0) == {1, 2, 4}


def test_given_demonstrations_stay_beside_the_fragments() -> None:
    mixture = made([], LINE[:2])
    play(mixture, Episode(LINE[2].first, 5, "truncated", frozenset({1})))
    assert mixture.demonstrations.added == 11
    batch = mixture.demonstrations.sample(RNG, 200)
    check_batch(batch, [*LINE[:2], Episode(LINE[2].first + 1, 1)], 1, 1.0)


def test_a_bad_intervention_reaches_neither() -> None:
    mixture = made([], [])
    mixture.begin(observation(0))
    with pytest.raises(ReplayError, match="reward"):
        mixture.add(action(0), float("nan"), observation(1), intervention=True)
    assert mixture.online.added == mixture.demonstrations.added == 0
    mixture.add(action(0), reward(0), observation(1), intervention=True)
    assert mixture.online.added == mixture.demonstrations.added == 1


def test_buffers_of_two_schemas_do_not_mix(tmp_path: Path) -> None:
    other = ReplayBuffer.create(None, Schema(SCHEMA.observation, 2, {"robot": "fr3"}), 10)
    with pytest.raises(ReplayError, match="tag robot is 'fr3' there, 'so101' was asked for"):
        Mixture(ReplayBuffer.create(None, SCHEMA, 10), other)
    with pytest.raises(ReplayError, match=r"share is 1\.5"):
        Mixture(other, other, share=1.5)


def test_the_newest_episode_can_demonstrate_as_it_was() -> None:
    mixture = made([], [])
    for episode in LINE[:2]:
        play(mixture, episode)
    assert mixture.imitate() == LINE[1].steps
    check_batch(mixture.demonstrations.sample(RNG, 40, n_step=2, discount=0.9), LINE[1:2], 2, 0.9)
    assert len(mixture.online) == LINE[0].steps + LINE[1].steps


def test_an_episode_that_is_too_long_or_none_at_all_does_not_demonstrate() -> None:
    mixture = made([], [])
    assert mixture.imitate() == 0
    play(mixture, LINE[0])
    assert mixture.imitate(longest=LINE[0].steps - 1) == 0
    assert len(mixture.demonstrations) == 0


def test_of_an_episode_in_which_a_person_acted_their_steps_demonstrate_and_nothing_else() -> None:
    mixture = made([], [])
    mixture.begin(observation(0))
    for step in range(4):
        done = step == 3
        mixture.add(
            action(step), reward(step), observation(step + 1), terminated=done, intervention=step == 2
        )
    assert mixture.imitate() == 0
    assert (len(mixture.online), len(mixture.demonstrations)) == (4, 1)


def test_an_episode_that_the_ring_no_longer_holds_whole_demonstrates_as_far_as_it_is_kept() -> None:
    online, demonstrations = (ReplayBuffer.create(None, SCHEMA, size) for size in (6, 100))
    mixture = Mixture(online, demonstrations)
    long = Episode(0, 12, "terminated")
    play(mixture, long)
    assert mixture.imitate() == 5
    check_batch(demonstrations.sample(RNG, 40), [long], 1, 1.0)
