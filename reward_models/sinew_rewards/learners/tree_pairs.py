"""Which clips of branching episodes to compare: evenly over how late they part, no pair twice.

After "tree-structured preference data": leaves of one tree share all that came before they part, and with
it its luck. A pair is shown from where it parts to the ends; a tree is either learnt from or tested on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip

from sinew_rewards.learned.trajectory import Episodes, Trajectory

Pair = tuple[Clip, Clip]


@dataclass(frozen=True, slots=True)
class TreePairs:
    """Pairs to ask about, of trees that are learnt from and of trees that are tested on."""

    learning: tuple[Pair, ...]
    held_out: tuple[Pair, ...]


def tree_pairs(episodes: Episodes, count: int, seed: int, held_out: float = 0.0) -> TreePairs:
    """Return `count` pairs of siblings, fewer where there are no more; a share of the trees is held out.

    Each pair is drawn by first drawing how late it parts, among the depths that have pairs left. The
    held-out trees have their share of the pairs. Raises ConfigError where no episode has a sibling.
    """
    if not 0 <= held_out < 1:
        raise ConfigError(f"tree pairs: expected a held-out share from 0 to below 1, got {held_out:g}.")
    trees: defaultdict[str, list[Trajectory]] = defaultdict(list)
    for item in episodes.trajectories:
        if item.tree:
            trees[item.tree].append(item)
    grown = sorted(name for name, leaves in trees.items() if len(leaves) > 1)
    if not grown:
        raise ConfigError(
            "no two episodes branched from one another; `sinew feedback branch` records some that did."
        )
    rng = np.random.default_rng([37, seed])
    shuffled = [grown[i] for i in rng.permutation(len(grown))]
    aside = round(held_out * len(grown))
    parts = [[trees[name] for name in names] for names in (shuffled[aside:], shuffled[:aside])]
    tested = round(held_out * count)
    return TreePairs(_drawn(parts[0], count - tested, rng), _drawn(parts[1], tested, rng))


def shared_rows(one: Trajectory, other: Trajectory) -> int:
    """Return after how many rows two episodes part: up to there, stamps and features are the same."""
    rows = min(len(one.stamps), len(other.stamps))
    same = (one.stamps[:rows] == other.stamps[:rows]) & (one.features[:rows] == other.features[:rows]).all(1)
    return rows if same.all() else int(same.argmin())


def _drawn(trees: Sequence[Sequence[Trajectory]], count: int, rng: np.random.Generator) -> tuple[Pair, ...]:
    """Draw pairs without repetition, the depth first."""
    left: defaultdict[int, list[Pair]] = defaultdict(list)
    for leaves in trees:
        for depth, pairs in _by_depth(leaves).items():
            left[depth] += pairs
    drawn: list[Pair] = []
    while left and len(drawn) < count:
        depths = sorted(left)
        depth = depths[int(rng.integers(len(depths)))]
        pair = left[depth].pop(int(rng.integers(len(left[depth]))))
        drawn.append(pair if rng.random() < 0.5 else pair[::-1])
        if not left[depth]:
            del left[depth]
    return tuple(drawn)


def _by_depth(leaves: Sequence[Trajectory]) -> dict[int, list[Pair]]:
    """Return a tree's pairs by how many partings lie before theirs; nothing where one holds the other."""
    shared = {(a.name, b.name): shared_rows(a, b) for a, b in combinations(leaves, 2)}
    rank = {rows: depth for depth, rows in enumerate(sorted(set(shared.values())))}
    found: defaultdict[int, list[Pair]] = defaultdict(list)
    for a, b in combinations(leaves, 2):
        rows = shared[a.name, b.name]
        if rows < min(len(a.stamps), len(b.stamps)):
            pair = Clip(a.name, int(a.stamps[rows])), Clip(b.name, int(b.stamps[rows]))
            found[rank[rows]].append(pair)
    return found
