"""Sub-steps that are paid over and over, and rests at a high value without success."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Record
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.luck import binomial_tail

NEARLY_ALL = 0.95  # of the base policy's episodes
DONE = 0.5  # verdict, from which on a rest is no loitering


def repetition_findings(base: Sequence[Record], now: Sequence[Record], config: WatchConfig) -> list[Finding]:
    """Return an alarm for each term that is paid more often than nearly always under the base policy."""
    found = []
    for name in sorted({name for record in now for name in record.paid}):
        before, after = (np.array([r.paid.get(name, 0) for r in records], float) for records in (base, now))
        limit, share = _beyond(before, after, config.repeats, config)
        if share > 0:
            found.append(
                Finding(
                    "repetition",
                    f"'{name}' begins to pay {np.median(after):.0f} times in an episode, under the base "
                    f"policy hardly ever more than {limit:.0f} times",
                    figures={"times": float(np.median(after)), "base": limit, "share": share},
                    names=(name,),
                )
            )
    return found


def loitering_findings(base: Sequence[Record], now: Sequence[Record], config: WatchConfig) -> list[Finding]:
    """Return an alarm for rests at a high value in episodes that no verdict calls a success."""
    before, after = (np.array([_rest(record) for record in records]) for records in (base, now))
    limit, share = _beyond(before, after, config.rest, config)
    if share == 0:
        return []
    return [
        Finding(
            "loitering",
            f"it rests at a high value for {np.median(after):.0%} of an episode without success, under the "
            f"base policy hardly ever for more than {limit:.0%}",
            figures={"rest": float(np.median(after)), "base": limit, "share": share},
        )
    ]


def _rest(record: Record) -> float:
    return 0.0 if record.verdict is not None and record.verdict >= DONE else record.rest


def _beyond(before: FloatArray, after: FloatArray, more: float, config: WatchConfig) -> tuple[float, float]:
    """Return what nearly all of the base's episodes keep to, and the share of the present ones beyond it.

    Beyond it by `more`; 0 for a share that is too small to matter, or that luck explains.
    """
    if min(len(before), len(after)) < config.least:
        return 0.0, 0.0
    limit = float(np.quantile(before, NEARLY_ALL))
    hits = int((after >= limit + more).sum())
    share = hits / len(after)
    lucky = binomial_tail(hits, len(after), 1 - NEARLY_ALL) > config.chance
    return limit, 0.0 if share < config.beyond or lucky else share
