"""Whether the reward still sees what it learned from: inputs against the card's ranges, and two samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Record
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.luck import bootstrap_means, kolmogorov_smirnov

NAMED = 5  # inputs that a sentence names, the worst first


def drift_findings(
    base: Sequence[Record],
    now: Sequence[Record],
    names: Sequence[str],
    config: WatchConfig,
    rng: np.random.Generator,
) -> list[Finding]:
    """Return an alarm for inputs outside the card's range, and a note of those that have only moved."""
    return _outside(now, names, config, rng) + _moved(base, now, names, config)


def _outside(
    now: Sequence[Record], names: Sequence[str], config: WatchConfig, rng: np.random.Generator
) -> list[Finding]:
    rows = [record.outside for record in now if record.outside]
    if len(rows) < config.least:
        return []
    shares = np.array(rows)
    least = np.quantile(bootstrap_means(shares, rng), config.chance, axis=0)
    far = [i for i in np.argsort(-shares.mean(0)) if least[i] > config.outside]
    if not far:
        return []
    named = {_name(names, i): float(shares[:, i].mean()) for i in far}
    told = ", ".join(f"{name} ({share:.0%})" for name, share in list(named.items())[:NAMED])
    return [
        Finding(
            "drift",
            f"inputs lie outside what the reward learned from: {told} of the steps",
            figures=named,
            names=tuple(named),
        )
    ]


def _moved(
    base: Sequence[Record], now: Sequence[Record], names: Sequence[str], config: WatchConfig
) -> list[Finding]:
    before, after = (np.array([r.means for r in records if r.means]) for records in (base, now))
    if min(len(before), len(after)) < config.least:
        return []
    moved = {}
    for i in range(before.shape[1]):
        distance, chance = kolmogorov_smirnov(before[:, i], after[:, i])
        if chance <= config.chance:
            moved[_name(names, i)] = distance
    if not moved:
        return []
    worst = dict(sorted(moved.items(), key=lambda item: -item[1]))
    return [
        Finding(
            "moved",
            f"inputs are distributed otherwise than under the base policy: {', '.join(list(worst)[:NAMED])}",
            alarm=False,
            figures=worst,
            names=tuple(worst),
        )
    ]


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if names else f"input_{index}"
