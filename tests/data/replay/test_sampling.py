"""What sampling gives, against a slow and plain account of the same episodes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_makers import (
    SCHEMA,
    Episode,
    action,
    check_batch,
    lined_up,
    newest_starts,
    number_of,
    observation,
    play,
)
from sinew_data.replay import Column, ReplayBuffer, ReplayError, Schema

SHAPES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["terminated", "truncated", "broken off"])), max_size=12
)


def filled(episodes: list[Episode], capacity: int = 1000, folder: Path | None = None) -> ReplayBuffer:
    buffer = ReplayBuffer.create(folder, SCHEMA, capacity, spare=1)
    for episode in episodes:
        play(buffer, episode)
    return buffer


def test_the_next_observation_is_the_following_one_and_none_crosses_an_end() -> None:
    episodes = lined_up([(4, "truncated"), (1, "terminated"), (6, "broken off"), (0, "broken off"), (3, "")])
    buffer = filled(episodes)
    starts = check_batch(buffer.sample(np.random.default_rng(0), 500), episodes, 1, 1.0)
    assert starts == {0, 1, 2, 3, 5, *range(7, 13), 15, 16, 17}
    assert len(buffer) == buffer.added == 14


@settings(max_examples=80, deadline=None)
@given(SHAPES, st.integers(2, 40), st.integers(1, 12), st.sampled_from([1.0, 0.97, 0.5, 0.0]))
def test_n_steps_equal_the_plain_account_in_any_ring(
    shapes: list[tuple[int, str]], capacity: int, n: int, discount: float
) -> None:
    episodes = lined_up(shapes)
    buffer = filled(episodes, capacity)
    expected = newest_starts(episodes, capacity)
    assert len(buffer) == len(expected)
    if not expected:
        with pytest.raises(ReplayError, match="no transitions"):
            buffer.sample(np.random.default_rng(0), 1)
        return
    batch = buffer.sample(np.random.default_rng(0), 4 * len(expected), n_step=n, discount=discount)
    assert check_batch(batch, episodes, n, discount) <= expected


def test_written_over_rows_are_never_sampled_and_all_others_are() -> None:
    episodes = lined_up([(5, "truncated")] * 40)
    for capacity in (2, 3, 7, 8, 29):
        buffer = filled(episodes, capacity)
        starts = check_batch(buffer.sample(np.random.default_rng(1), 600), episodes, 1, 1.0)
        assert starts == newest_starts(episodes, capacity)


def test_every_transition_is_as_likely_as_any_other() -> None:
    buffer = filled(lined_up([(1, "truncated"), (5, "terminated"), (2, "truncated")]))
    batch = buffer.sample(np.random.default_rng(2), 16_000)
    _, counts = np.unique(batch.observation["state"][:, 0], return_counts=True)
    assert len(counts) == 8
    assert np.abs(counts - 2000).max() < 200  # nearly five standard deviations


def test_a_timeout_bootstraps_and_a_terminal_state_does_not() -> None:
    for end, expected in (("truncated", 0.9), ("terminated", 0.0), ("broken off", 0.9)):
        batch = filled(lined_up([(1, end)])).sample(np.random.default_rng(0), 1, n_step=3, discount=0.9)
        np.testing.assert_allclose(batch.discount, expected, rtol=1e-6)


def test_an_episode_that_ends_both_ways_is_terminal() -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 10)
    buffer.begin(observation(0))
    buffer.add(action(0), 1.0, observation(1), terminated=True, truncated=True)
    assert buffer.sample(np.random.default_rng(0), 1).discount == 0.0


def test_the_running_episode_is_sampled_as_far_as_it_goes() -> None:
    episode = Episode(0, 3, "broken off")
    buffer = filled([episode])
    batch = buffer.sample(np.random.default_rng(0), 50, n_step=5, discount=0.5)
    assert check_batch(batch, [episode], 5, 0.5) == {0, 1, 2}
    assert set(batch.next_observation["state"][:, 0]) == {3.0}


def test_memory_and_disk_give_the_same(tmp_path: Path) -> None:
    episodes = lined_up([(5, "truncated"), (3, "terminated")] * 10)
    batches = []
    for folder in (None, tmp_path / "replay"):
        with filled(episodes, 30, folder) as buffer:
            batches.append(buffer.sample(np.random.default_rng(3), 64, n_step=3, discount=0.9))
    one, other = batches
    for name in SCHEMA.observation:
        np.testing.assert_array_equal(one.observation[name], other.observation[name])
        np.testing.assert_array_equal(one.next_observation[name], other.next_observation[name])
    for field in ("action", "reward", "discount", "intervention"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_interventions_are_marked_and_counted() -> None:
    buffer = filled([Episode(0, 4, "truncated", frozenset({1, 2}))])
    batch = buffer.sample(np.random.default_rng(0), 60)
    for row in range(60):
        assert batch.intervention[row] == (number_of(batch.observation, row) in {1, 2})
    assert buffer.interventions == 2


@settings(max_examples=60, deadline=None)
@given(SHAPES.filter(lambda shapes: any(steps for steps, _ in shapes)), st.integers(1, 12))
def test_sequences_repeat_the_last_action_past_the_end_and_say_so(
    shapes: list[tuple[int, str]], horizon: int
) -> None:
    episodes = lined_up(shapes)
    sequences = filled(episodes).sample_sequences(np.random.default_rng(0), 50, horizon)
    for row in range(50):
        start = number_of(sequences.observation, row)
        last = next(e.last for e in episodes if e.first <= start < e.last)
        numbers = [min(start + k, last - 1) for k in range(horizon)]
        np.testing.assert_array_equal(sequences.actions[row], [action(number) for number in numbers])
        np.testing.assert_array_equal(sequences.valid[row], [start + k < last for k in range(horizon)])


def test_sampling_follows_the_generator_alone() -> None:
    buffer = filled(lined_up([(9, "truncated")] * 3))
    states = []
    for _ in range(2):
        rng = np.random.default_rng(5)
        buffer.sample(rng, 7)
        buffer.sample_sequences(rng, 5, 3)
        states.append(buffer.sample(rng, 16).observation["state"].copy())
    np.testing.assert_array_equal(*states)


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_restless")
def test_one_thread_may_add_while_another_one_samples() -> None:
    episodes = lined_up([(5, "truncated")] * 600)
    buffer, rng = filled(episodes[:10], 20), np.random.default_rng(0)
    adding = threading.Thread(target=lambda: [play(buffer, episode) for episode in episodes[10:]])
    adding.start()
    while adding.is_alive():
        batch = buffer.sample(rng, 256)
        starts = batch.observation["state"][:, 0]
        np.testing.assert_array_equal(batch.action[:, 0], starts)
        np.testing.assert_array_equal(batch.next_observation["state"][:, 0], starts + 1)
        np.testing.assert_array_equal(batch.observation["top"][:, 0, 0, 0], starts * 7 % 251)
        sequences = buffer.sample_sequences(rng, 256, 2)
        np.testing.assert_array_equal(sequences.actions[:, 0, 0], sequences.observation["state"][:, 0])
    assert buffer.added == 3000


def test_a_batch_is_refilled_by_the_next_call_of_its_size() -> None:
    buffer = filled(lined_up([(9, "truncated")]))
    rng = np.random.default_rng(0)
    first = buffer.sample(rng, 64)
    before = first.observation["top"].copy()
    assert buffer.sample(rng, 64).observation["top"] is first.observation["top"]
    assert (first.observation["top"] != before).any()


def test_single_numbers_are_a_column_too() -> None:
    buffer = ReplayBuffer.create(None, Schema({"height": Column((), "float32")}, 1, {}), 10)
    buffer.begin({"height": np.float32(1)})
    buffer.add(np.ones(1, np.float32), 0.0, {"height": np.float32(2)})
    batch = buffer.sample(np.random.default_rng(0), 3)
    np.testing.assert_array_equal(batch.next_observation["height"], [2, 2, 2])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"size": 0}, "size 0"),
        ({"size": 1, "n_step": 0}, "n_step 0"),
        ({"size": 1, "discount": 1.1}, r"discount 1\.1"),
        ({"size": 1, "discount": float("nan")}, "discount nan"),
    ],
)
def test_what_cannot_be_sampled_is_refused(asked: dict[str, float], sentence: str) -> None:
    buffer = filled(lined_up([(3, "truncated")]))
    with pytest.raises(ReplayError, match=sentence):
        buffer.sample(np.random.default_rng(0), **asked)
