"""Successor features: the discounted sums of features that follow a state under a policy or a behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_rewards.learned.trajectory import Trajectory

ROUNDS = 30  # of k-means, at most
AT_ONCE = 512  # states that are looked up together


def exact_successors(
    transitions: FloatArray, features: FloatArray, policies: npt.NDArray[np.int64], discount: float
) -> FloatArray:
    """Return psi (n, S, d) of n deterministic policies (n, S) in a small world, by linear solves.

    Of transitions (S, A, S) and features (S, d) of states: psi(s) = phi(s) + discount E psi(s').
    """
    states = np.arange(len(features))
    moves = transitions[states, policies]  # (n, S, S)
    found = np.linalg.solve(np.eye(len(states)) - discount * moves, features[None])
    return np.asarray(found, np.float64)


def sums_to_come(features: FloatArray, discount: float) -> FloatArray:
    """Return the discounted sums (T, d) of an episode's features from each row on.

    After its end an episode is taken to stay as it was: what is reached goes on counting, and the end of
    a recording is not mistaken for the end of all reward.
    """
    sums = np.empty(features.shape)
    sums[-1] = features[-1] / (1 - discount)
    for t in range(len(features) - 2, -1, -1):
        sums[t] = features[t] + discount * sums[t + 1]
    return sums


@dataclass(frozen=True, slots=True)
class RecordedSuccessors:
    """What followed recorded states, by behaviour: a Monte-Carlo estimate of psi at any state.

    A behaviour is a cluster of episodes that go alike. Its psi at a state is the mean over the nearest
    rows that its episodes have, however far: behaviours should have been about the same places.
    """

    scale: FloatArray  # (d) by which distances are measured
    rows: tuple[FloatArray, ...]  # of each behaviour (rows, d), divided by scale
    sums: tuple[FloatArray, ...]  # (rows, d)
    neighbours: int

    def of(self, states: FloatArray) -> FloatArray:
        """Return psi (n, behaviours, d) of states (n, d)."""
        parts = [
            np.stack([self._one(part / self.scale, b) for b in range(len(self.rows))], 1)
            for part in np.split(states, range(AT_ONCE, len(states), AT_ONCE))
        ]
        return np.concatenate(parts)

    def _one(self, states: FloatArray, behaviour: int) -> FloatArray:
        rows, sums = self.rows[behaviour], self.sums[behaviour]
        apart = np.square(rows).sum(1) - 2 * states @ rows.T
        few = min(self.neighbours, len(rows))
        nearest = np.argpartition(apart, few - 1, axis=1)[:, :few]
        found: FloatArray = sums[nearest].mean(1)
        return found


def recorded_successors(
    episodes: Sequence[Trajectory], behaviours: int, neighbours: int, discount: float, seed: int
) -> RecordedSuccessors:
    """Cluster episodes into at most so many behaviours, and return what followed their rows."""
    everything = np.concatenate([item.features for item in episodes]).astype(np.float64)
    scale = np.maximum(everything.std(0), 1e-3)
    ways = np.stack([_way(item.features / scale) for item in episodes])
    group = clusters(ways, behaviours, np.random.default_rng([29, seed]))
    rows, sums = [], []
    for each in np.unique(group):
        members = [
            item.features.astype(np.float64) for item, g in zip(episodes, group, strict=True) if g == each
        ]
        rows.append(np.concatenate(members) / scale)
        sums.append(np.concatenate([sums_to_come(item, discount) for item in members]))
    return RecordedSuccessors(scale, tuple(rows), tuple(sums), neighbours)


def _way(features: FloatArray) -> FloatArray:
    """Return how an episode (T, d) goes: its first, its mean and its last features (3 d)."""
    return np.concatenate([features[0], features.mean(0), features[-1]])


def clusters(points: FloatArray, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return to which of at most `count` groups each of the points (n, k) belongs (Lloyd 1982, k-means)."""
    centres = points[rng.choice(len(points), size=min(count, len(points)), replace=False)]
    group = np.full(len(points), -1)
    for _ in range(ROUNDS):
        nearest = np.square(points[:, None] - centres).sum(2).argmin(1)
        if (nearest == group).all():
            break
        group = nearest
        kept = np.unique(group)
        centres = np.stack([points[group == each].mean(0) for each in kept])
        group = np.searchsorted(kept, group)
    return group
