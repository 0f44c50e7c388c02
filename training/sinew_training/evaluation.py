"""A policy's success over fresh scenes, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sinew_core.protocols import Policy
from sinew_eval.statistics import wilson_interval

from sinew_training.rollouts import Rollouts
from sinew_training.transitions import Gathered


@dataclass(frozen=True, slots=True)
class Score:
    """So many successes in so many episodes."""

    successes: int
    episodes: int
    mean_return: float  # undiscounted

    @property
    def rate(self) -> float:
        """The share of successes."""
        return self.successes / self.episodes

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        low, high = wilson_interval(self.successes, self.episodes)
        interval = [round(low, 4), round(high, 4)]
        return {
            "success_rate": self.rate,
            "wilson_95": interval,
            "episodes": self.episodes,
            "return": round(self.mean_return, 4),
        }


def evaluate(rollouts: Rollouts, policy: Policy, seed: int, episodes: int) -> Score:
    """Run the scenes of `seed`, `seed + 1`, ...; Ctrl-C is a KeyboardInterrupt."""
    successes, total = 0, 0.0
    for i in range(episodes):
        rollout = rollouts.run(seed + i, policy, Gathered())
        if rollout.result.outcome == "interrupted":
            raise KeyboardInterrupt
        successes += rollout.result.success
        total += rollout.total
    return Score(successes, episodes, total / episodes)
