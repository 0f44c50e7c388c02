"""Whether the reward goes with the truth as much under the present policy as under the base policy.

After Laidlaw, Singhal and Dragan 2025, "Correlated Proxies": a reward is hacked where it goes with the
true one on what a base policy visits, and no more on what is visited when it is optimised.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Record
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.luck import bootstrap_means

LEAST_SHARE = 1e-9  # of a variance in the sum of squares, below which it is rounding


def correlation_findings(
    base: Sequence[Record], now: Sequence[Record], config: WatchConfig, rng: np.random.Generator
) -> list[Finding]:
    """Return an alarm where the correlation has fallen, or was never there.

    By steps where all have a truth, else by returns and verdicts of episodes. Held against the correlation
    on the base policy's episodes is that on both policies' together, half and half: on its own, a policy
    whose episodes are nearly all good, or nearly all bad, shows no correlation, whatever the reward.
    """
    by_steps = all(record.moments for record in (*base, *now))
    before, after = sums_of(base, by_steps=by_steps), sums_of(now, by_steps=by_steps)
    if min(len(before), len(after)) < config.least:
        return []
    found = float(correlations(before.mean(0)))
    drawn_before, drawn_after = bootstrap_means(before, rng), bootstrap_means(after, rng)
    luck = correlations(drawn_before)
    if not np.isfinite(found):
        return []
    if _quantile(luck, 1 - config.chance) < config.related:
        return [_unrelated(found, config)]
    both = float(correlations((before.mean(0) + after.mean(0)) / 2))
    drawn = correlations((drawn_before + drawn_after) / 2)
    if found - both < config.fall or not _quantile(luck - drawn, config.chance) > 0:
        return []
    return [_fallen(found, both, float(correlations(after.mean(0))))]


def sums_of(records: Sequence[Record], *, by_steps: bool) -> FloatArray:
    """Return sums of 1, v, t, v v, t t, v t (n, 6) of the steps of each episode, or of its return v and
    verdict t, where there is one.
    """
    if by_steps:
        return np.array([record.moments for record in records]).reshape(-1, 6)
    known = [(record.total, record.verdict) for record in records if record.verdict is not None]
    return np.array([[1, v, t, v * v, t * t, v * t] for v, t in known]).reshape(-1, 6)


def correlations(sums: FloatArray) -> FloatArray:
    """Return the correlations (...) of what has these sums or means (..., 6); nan where one is constant."""
    n, v, t, vv, tt, vt = np.moveaxis(sums, -1, 0)
    spread_v, spread_t = vv - v * v / n, tt - t * t / n
    changing = (spread_v > LEAST_SHARE * vv) & (spread_t > LEAST_SHARE * tt)
    scale = np.sqrt(np.where(changing, spread_v * spread_t, 1.0))
    return np.asarray(np.where(changing, (vt - v * t / n) / scale, np.nan))


def _quantile(draws: FloatArray, share: float) -> float:
    known = draws[np.isfinite(draws)]
    return float(np.quantile(known, share)) if len(known) else float("nan")


def _unrelated(found: float, config: WatchConfig) -> Finding:
    return Finding(
        "unrelated",
        f"the reward does not go with the truth on the base policy's own episodes: correlation {found:.2f}, "
        f"expected at least {config.related:g}",
        figures={"base": found},
    )


def _fallen(found: float, both: float, alone: float) -> Finding:
    figures = {"base": found, "both": both} | ({"present": alone} if np.isfinite(alone) else {})
    return Finding(
        "correlation",
        f"the reward goes with the truth on the base policy's episodes (correlation {found:.2f}), and much "
        f"less when the present policy's are added ({both:.2f})",
        figures=figures,
    )
