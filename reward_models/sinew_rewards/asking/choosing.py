"""What to ask next: pairs of clips by disagreement of an ensemble, by what an answer tells, or at random."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip

from sinew_rewards.asking.material import Candidate, Material

Rule = Literal["disagreement", "information", "random"]
POOL = 200_000  # pairs that are weighed at most
Pairs = npt.NDArray[np.int64]  # (n, 2) indices of candidates


def possible_pairs(
    materials: Sequence[Material],
    clips: Sequence[Candidate],
    answered: Collection[frozenset[Clip]],
    rng: np.random.Generator,
    *,
    siblings: bool = False,
) -> Pairs:
    """Return pairs (n, 2) of different clips of one task that do not overlap and were not answered yet.

    With `siblings`, of episodes that branched from one state, over the same control periods. Beyond
    `POOL` pairs, some are drawn.
    """
    pairs = _some_pairs(len(clips), rng)
    a, b = pairs.T
    episode = np.array([clip.episode for clip in clips])
    begin, end = np.array([clip.begin for clip in clips]), np.array([clip.end for clip in clips])
    task = _codes([material.summary.start.task for material in materials])[episode]
    apart = (episode[a] != episode[b]) | (end[a] <= begin[b]) | (end[b] <= begin[a])
    fit = apart & (task[a] == task[b])
    if siblings:
        trees = [material.tree or f"alone {i}" for i, material in enumerate(materials)]
        tree = _codes(trees)[episode]
        fit &= (tree[a] == tree[b]) & (episode[a] != episode[b]) & (begin[a] == begin[b])
    fit &= ~np.isin(_names(pairs, len(clips)), _names(_indices(clips, answered), len(clips)))
    found: Pairs = pairs[fit]
    return found


def preferences(returns: FloatArray, pairs: Pairs) -> FloatArray:
    """Return each member's probability (m, n) that a pair's first clip is better, from returns (m, clips).

    Differences count in units of their spread over all pairs: learners scale their rewards differently.
    """
    better = returns[:, pairs[:, 0]] - returns[:, pairs[:, 1]]
    scale = max(float(better.mean(0).std()), 1e-9)
    found: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(better / scale, -50, 50)))
    return found


def disagreement(preferred: FloatArray) -> FloatArray:
    """Return the spread (n,) of the members' probabilities (m, n) (Christiano et al. 2017)."""
    found: FloatArray = preferred.std(0)
    return found


def information(preferred: FloatArray) -> FloatArray:
    """Return what an answer tells (n,), in nats: H(mean P) - mean H(P) (Houlsby et al. 2011, BALD)."""
    found: FloatArray = _entropy(preferred.mean(0)) - _entropy(preferred).mean(0)
    return found


def worth_asking(
    rule: Rule, pairs: Pairs, returns: FloatArray | None, rng: np.random.Generator
) -> FloatArray:
    """Return how much each pair (n,) is worth to be asked; without returns, at random."""
    if rule == "random" or returns is None:
        return rng.random(len(pairs))
    preferred = preferences(returns, pairs)
    return disagreement(preferred) if rule == "disagreement" else information(preferred)


def choose(pairs: Pairs, worth: FloatArray, count: int) -> list[tuple[int, int]]:
    """Return the most worthwhile pairs, at most `count`, each once.

    As long as there are others, no clip is shown twice: the best pairs alone would be about the same few.
    """
    ordered = [(int(a), int(b)) for a, b in pairs[np.argsort(-worth, kind="stable")]]
    shown: set[int] = set()
    fresh, rest = [], []
    for pair in ordered:
        if shown.isdisjoint(pair):
            shown |= set(pair)
            fresh.append(pair)
        else:
            rest.append(pair)
    return [*fresh, *rest][:count]


def _some_pairs(count: int, rng: np.random.Generator) -> Pairs:
    """Return all pairs of `count` things, or some, in either order, which side is which being chance."""
    if count * (count - 1) // 2 <= POOL:
        pairs = np.stack(np.triu_indices(count, 1), axis=1)
    else:
        drawn = np.sort(rng.integers(0, count, (POOL, 2)), axis=1)
        pairs = np.unique(drawn[drawn[:, 0] != drawn[:, 1]], axis=0)
    found: Pairs = rng.permuted(pairs.astype(np.int64), axis=1)
    return found


def _codes(names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)


def _indices(clips: Sequence[Candidate], answered: Collection[frozenset[Clip]]) -> Pairs:
    """Return the candidates of the answered pairs (n, 2), of those that are candidates."""
    index = {candidate.clip: i for i, candidate in enumerate(clips)}
    found = [[index[clip] for clip in pair] for pair in answered if len(pair) == 2 and pair <= index.keys()]
    return np.array(found, np.int64).reshape(-1, 2)


def _names(pairs: Pairs, count: int) -> npt.NDArray[np.int64]:
    """Return a number (n,) for each pair, whichever way round."""
    found: npt.NDArray[np.int64] = pairs.min(1, initial=count) * count + pairs.max(1, initial=0)
    return found


def _entropy(p: FloatArray) -> FloatArray:
    """Return the entropy of a yes-or-no answer, nats."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    found: FloatArray = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    return found
