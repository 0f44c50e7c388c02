"""Which looks are judged: pairs drawn from all episodes, or the steps of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from sinew_core.errors import ConfigError

from sinew_rewards.judges.look import Look, look_at
from sinew_rewards.learned.trajectory import Episodes

NEAREST = 10  # control periods; looks of one episode that are nearer to each other are mostly ties


def drawn_pairs(episodes: Episodes, count: int, seed: int, nearest: int = NEAREST) -> list[tuple[Look, Look]]:
    """Draw pairs of moments, each episode being as likely as any other.

    Moments of one episode are at least `nearest` control periods apart. ConfigError where there are none.
    """
    rng, trajectories = np.random.default_rng(seed), episodes.trajectories
    if len(trajectories) < 2 and all(len(item.stamps) <= nearest for item in trajectories):
        raise ConfigError(
            f"expected at least two episodes, or one of more than {nearest} control periods, to compare."
        )
    pairs: list[tuple[Look, Look]] = []
    while len(pairs) < count:
        which = rng.integers(len(trajectories), size=2)
        rows = [int(rng.integers(len(trajectories[i].stamps))) for i in which]
        if which[0] == which[1] and abs(rows[0] - rows[1]) < nearest:
            continue
        first, second = (look_at(trajectories[i], row) for i, row in zip(which, rows, strict=True))
        pairs.append((first, second))
    return pairs


def drawn_steps(episodes: Episodes, count: int, seed: int, every: int) -> list[tuple[Look, Look]]:
    """Draw steps, at most so many, in their order: looks `every` control periods apart up to the end.

    ConfigError where no episode is as long as a step.
    """
    if every < 1:
        raise ConfigError(f"every: expected at least 1 control period, got {every}.")
    steps = [(item, rows) for item in episodes.trajectories for rows in _neighbours(len(item.stamps), every)]
    if not steps:
        raise ConfigError(f"no episode has more than {every} control periods; make the steps shorter.")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(steps))[:count])
    found = (steps[i] for i in chosen)
    return [(look_at(item, before), look_at(item, after)) for item, (before, after) in found]


def _neighbours(length: int, every: int) -> Sequence[tuple[int, int]]:
    """Return the ends of steps, counted back from the last row, so that the end is judged in full."""
    rows = [*range(length - 1, -1, -every)][::-1]
    return [*pairwise(rows)]
