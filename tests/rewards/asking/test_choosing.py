"""What is asked next is new, fits together, and tells the most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_rewards.asking import choosing
from sinew_rewards.asking.choosing import (
    choose,
    disagreement,
    information,
    possible_pairs,
    preferences,
    worth_asking,
)
from sinew_rewards.asking.material import Candidate, Material, candidates, read_material

Recorded = Callable[..., Path]
RNG = np.random.default_rng


def material(path: Path) -> list[Material]:
    found, problems = read_material(path, "", None)
    assert problems == []
    return found


def named(clips: list[Candidate], pairs: np.ndarray) -> set[frozenset[tuple[str, int]]]:
    keys = [(clip.clip.episode, clip.begin) for clip in clips]
    return {frozenset((keys[a], keys[b])) for a, b in pairs}


def test_clips_have_one_length_and_reach_the_end(recorded: Recorded) -> None:
    materials = material(recorded(25, 9, 40))
    clips = candidates(materials, 10 / 30)
    assert {clip.end - clip.begin for clip in clips} == {10}
    assert {clip.clip.episode for clip in clips} == {"a", "c"}
    assert [clip.begin for clip in clips if clip.episode == 0] == [0, 5, 10, 15]
    last = [clip for clip in clips if clip.episode == 2][-1]
    assert last.clip.end == materials[2].stamps[-1]
    assert last.clip.start == materials[2].stamps[30]


def test_clips_from_the_start_begin_there(recorded: Recorded) -> None:
    clips = candidates(material(recorded(27)), 10 / 30, from_start=True)
    assert [clip.begin for clip in clips] == [0, 5, 10, 15]


def test_too_short_episodes_are_an_error(recorded: Recorded) -> None:
    with pytest.raises(ConfigError, match="--seconds"):
        candidates(material(recorded(5)), 3.0)


def test_clips_of_a_pair_do_not_overlap(recorded: Recorded) -> None:
    materials = material(recorded(20))
    clips = candidates(materials, 10 / 30)
    pairs = possible_pairs(materials, clips, [], RNG(0))
    assert named(clips, pairs) == {frozenset((("a", 0), ("a", 10)))}


def test_an_answered_pair_is_not_possible_whichever_way_round(recorded: Recorded) -> None:
    materials = material(recorded(10, 10, 10))
    clips = candidates(materials, 10 / 30)
    answered = [frozenset((clips[2].clip, clips[0].clip))]
    pairs = possible_pairs(materials, clips, answered, RNG(0))
    assert named(clips, pairs) == {frozenset((("a", 0), ("b", 0))), frozenset((("b", 0), ("c", 0)))}


def test_clips_of_different_tasks_are_not_compared(recorded: Recorded) -> None:
    recorded(10, names="x", task="push")
    materials = material(recorded(10, 10, task="stack"))
    clips = candidates(materials, 10 / 30)
    assert len(clips) == 3
    assert named(clips, possible_pairs(materials, clips, [], RNG(0))) == {frozenset((("a", 0), ("b", 0)))}


def test_siblings_share_tree_and_control_periods(recorded: Recorded) -> None:
    materials = material(recorded(15, 15, tree="one"))
    clips = candidates(materials, 10 / 30, from_start=True)
    pairs = possible_pairs(materials, clips, [], RNG(0), siblings=True)
    assert named(clips, pairs) == {frozenset((("a", b), ("b", b))) for b in (0, 5)}


def test_episodes_that_branched_from_nothing_have_no_siblings(recorded: Recorded) -> None:
    materials = material(recorded(15, 15))
    clips = candidates(materials, 10 / 30, from_start=True)
    assert len(possible_pairs(materials, clips, [], RNG(0), siblings=True)) == 0


def test_of_many_clips_some_pairs_are_drawn_each_once(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "POOL", 100)
    materials = material(recorded(120, 120))
    clips = candidates(materials, 4 / 30)
    pairs = possible_pairs(materials, clips, [], RNG(0))
    assert 50 < len(pairs) <= 100
    assert len(named(clips, pairs)) == len(pairs)


def test_which_side_is_left_is_chance(recorded: Recorded) -> None:
    materials = material(recorded(60, 60))
    clips = candidates(materials, 4 / 30)
    pairs = possible_pairs(materials, clips, [], RNG(0))
    assert 0.4 < np.mean(pairs[:, 0] < pairs[:, 1]) < 0.6


PAIRS = np.array([[0, 1], [2, 3], [4, 5]])
# Members agree strongly about the first pair, are undecided alike about the second, opposed on the third.
RETURNS = np.array([[3.0, 0.0, 1.0, 1.0, 2.0, 0.0], [3.0, 0.0, 1.0, 1.0, 0.0, 2.0]])


@pytest.mark.parametrize("measure", [disagreement, information])
def test_the_pair_on_which_members_are_opposed_is_worth_most(measure: Callable[..., np.ndarray]) -> None:
    worth = measure(preferences(RETURNS, PAIRS))
    assert worth.argmax() == 2
    assert worth[:2] == pytest.approx(0.0, abs=1e-9)


def test_information_of_two_certain_opposed_members_is_one_bit() -> None:
    assert information(np.array([[1.0], [0.0]])) == pytest.approx(np.log(2))


def test_preferences_do_not_change_with_the_scale_of_a_reward() -> None:
    assert preferences(1000 * RETURNS, PAIRS) == pytest.approx(preferences(RETURNS, PAIRS))


def test_random_worth_needs_no_returns_and_follows_its_generator() -> None:
    assert worth_asking("random", PAIRS, None, RNG(1)).tolist() == RNG(1).random(3).tolist()


def test_a_batch_shows_each_clip_once_as_long_as_there_are_others() -> None:
    pairs = np.array([[0, 1], [0, 2], [0, 3], [4, 5]])
    assert choose(pairs, np.array([0.9, 0.8, 0.7, 0.1]), 3) == [(0, 1), (4, 5), (0, 2)]


def test_a_batch_has_no_pair_twice_and_no_more_than_there_are() -> None:
    found = choose(np.array([[0, 1], [1, 2], [2, 0]]), np.ones(3), 10)
    assert len({frozenset(pair) for pair in found}) == len(found) == 3
