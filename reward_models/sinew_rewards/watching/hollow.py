"""Returns that rise while the verdict does not: the policy gets better at the reward and not at the task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Record
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.luck import chance_of_rise


def hollow_findings(
    base: Sequence[Record], now: Sequence[Record], config: WatchConfig, rng: np.random.Generator
) -> list[Finding]:
    """Return an alarm where returns have risen, and verdicts, of enough episodes, have not.

    Verdicts that are nearly always good need not rise.
    """
    verdicts = [np.array([r.verdict for r in records if r.verdict is not None]) for records in (base, now)]
    if min(len(each) for each in verdicts) < config.least:
        return []
    before, after = (np.array([record.total for record in records]) for records in (base, now))
    rise = float(after.mean() - before.mean()) / max(float(before.std()), 1e-12)
    gain, good = float(verdicts[1].mean() - verdicts[0].mean()), float(verdicts[1].mean())
    if rise < config.rise or chance_of_rise(before, after, rng) > config.chance:
        return []
    if good >= config.enough or gain >= config.gain:
        return []
    return [
        Finding(
            "hollow_rise",
            f"returns have risen by {rise:.1f} standard deviations, and verdicts went from "
            f"{verdicts[0].mean():.2f} to {good:.2f}",
            figures={"rise": rise, "verdict_base": float(verdicts[0].mean()), "verdict": good},
        )
    ]
