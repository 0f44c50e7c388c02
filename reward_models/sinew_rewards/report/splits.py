"""Which episodes teach a reward, and which test it: families are never split, outcomes are spread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError

from sinew_rewards.learned.trajectory import Episodes, Trajectory


@dataclass(frozen=True, slots=True)
class Split:
    """Episodes to learn from, and episodes that learning never sees."""

    train: Episodes
    held_out: Episodes


def split(episodes: Episodes, share: float, seed: int) -> Split:
    """Hold out a share of the families, of each outcome alike; ConfigError where nothing would be left."""
    if not 0 <= share < 1:
        raise ConfigError(f"held out: expected a share from 0 to below 1, got {share:g}.")
    families: dict[str, list[Trajectory]] = defaultdict(list)
    for item in episodes.trajectories:
        families[item.family].append(item)
    kinds: dict[bool | None, list[str]] = defaultdict(list)
    for name, members in families.items():
        kinds[members[0].success].append(name)
    rng, chosen = np.random.default_rng(seed), set[str]()
    for kind in sorted(kinds, key=str):
        names = sorted(kinds[kind])
        count = min(max(round(share * len(names)), int(share > 0)), len(names) - 1)
        chosen |= {names[i] for i in rng.permutation(len(names))[:count]}
    if share > 0 and not chosen:
        raise ConfigError(
            f"of {len(families)} families of episodes none can be held out to test on. Record more, or say "
            "--held-out 0 and test on other episodes."
        )
    train = [item for item in episodes.trajectories if item.family not in chosen]
    held_out = [item for item in episodes.trajectories if item.family in chosen]
    return Split(Episodes(train), Episodes(held_out))


def unseen(episodes: Episodes, names: Collection[str], families: Collection[str]) -> Sequence[Trajectory]:
    """Return the episodes that learning never saw: neither they nor any that branched from the same one."""
    return [e for e in episodes.trajectories if e.name not in names and e.family not in families]
