"""Pairs from trees of episodes: how late they part is drawn evenly, nothing twice, no tree on both sides."""

from __future__ import annotations

from collections import Counter
from itertools import product
from zlib import crc32

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.tree_pairs import shared_rows, tree_pairs

PART = 4  # rows between two partings
DEPTH = 3


def leaf(tree: str, path: tuple[int, ...]) -> Trajectory:
    """Return a leaf of a binary tree: each row says which way was taken last, and by which way there."""
    rows = [crc32(f"{tree} {path[: k + 1]}".encode()) % 1_000_003 for k in range(DEPTH) for _ in range(PART)]
    features = np.array([[0.0]] + [[float(row)] for row in rows], np.float32)
    stamps = np.arange(len(features), dtype=np.int64)
    return Trajectory(f"{tree}-{''.join(map(str, path))}", stamps, features, tree=tree)


def forest(trees: int = 6) -> Episodes:
    return Episodes([leaf(f"t{i}", path) for i in range(trees) for path in product((0, 1), repeat=DEPTH)])


def depth(episodes: Episodes, pair: tuple[Clip, Clip]) -> int:
    return shared_rows(episodes.of(pair[0]), episodes.of(pair[1])) // PART


def test_all_depths_are_asked_about_alike_although_most_pairs_part_early() -> None:
    episodes = forest(20)
    pairs = tree_pairs(episodes, 210, 0).learning
    counts = Counter(depth(episodes, pair) for pair in pairs)
    assert sorted(counts) == [0, 1, 2]
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_no_pair_is_drawn_twice_even_if_all_are() -> None:
    episodes = forest(2)
    pairs = tree_pairs(episodes, 10_000, 0).learning
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == 2 * 28


def test_pairs_are_of_one_tree_and_begin_where_they_part() -> None:
    episodes = forest()
    for first, second in tree_pairs(episodes, 60, 1).learning:
        one, other = episodes.of(first), episodes.of(second)
        assert one.tree == other.tree and one.name != other.name
        assert first.start == second.start == one.stamps[shared_rows(one, other)]
        assert first.end is None and second.end is None


def test_a_tree_is_learnt_from_or_tested_on_and_never_both() -> None:
    episodes = forest(10)
    found = tree_pairs(episodes, 100, 0, held_out=0.3)
    trees = [
        {episodes.of(clip).tree for pair in pairs for clip in pair}
        for pairs in (found.learning, found.held_out)
    ]
    assert trees[0] and trees[1] and not trees[0] & trees[1]
    assert (len(found.learning), len(found.held_out)) == (70, 30)


def test_either_clip_may_be_shown_first() -> None:
    firsts = [first.episode < second.episode for first, second in tree_pairs(forest(), 80, 0).learning]
    assert 20 < sum(firsts) < 60


def test_the_seed_decides() -> None:
    assert tree_pairs(forest(), 20, 0) == tree_pairs(forest(), 20, 0) != tree_pairs(forest(), 20, 1)


def test_siblings_that_are_the_same_throughout_are_not_compared() -> None:
    one = leaf("t", (0, 0, 0))
    twin = Trajectory("twin", one.stamps, one.features, tree="t")
    other = leaf("t", (0, 0, 1))
    pairs = tree_pairs(Episodes([one, twin, other]), 10, 0).learning
    assert {frozenset((a.episode, b.episode)) for a, b in pairs} == {
        frozenset((one.name, other.name)),
        frozenset(("twin", other.name)),
    }


def test_episodes_without_siblings_are_named() -> None:
    alone = Episodes([leaf("t0", (0, 0, 0)), leaf("t1", (0, 0, 0))])
    with pytest.raises(ConfigError, match="sinew feedback branch"):
        tree_pairs(alone, 10, 0)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="held-out share"):
        tree_pairs(forest(), 10, 0, held_out=1.0)
