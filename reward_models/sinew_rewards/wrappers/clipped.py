"""A reward cut off below and above, so that no single step is worth a detour.

After Gao et al. 2024, "On Designing Effective RL Reward at Training Time for LLM Reasoning": a clipped
process reward followed by its differences (`delta`) can be gathered by neither repeating nor adding steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, and its limits in that reward's units."""

    source: Mapping[str, Any]  # the plugin that is cut off
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Check the order."""
        if not self.low < self.high:
            raise ValueError(f"expected low < high, got {self.low} and {self.high}.")


class Clipped:
    """Values in [low, high]; everything else is the source's. Terms: `cut`, 1 where a limit was reached."""

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "clipped", "clipped: source", hardware, task)
        self.needs_frames = self._source.needs_frames

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._source.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the estimate within the limits."""
        c, said = self._config, self._source.estimate(observation)
        value = min(max(float(said.value), c.low), c.high)
        # No variable within limits has a greater standard deviation than half their distance.
        doubt = None if said.uncertainty is None else min(said.uncertainty, (c.high - c.low) / 2)
        terms = {"cut": float(value != said.value), **self._source.terms(said)}
        return RewardEstimate(observation.stamp, value, said.success, said.progress, doubt, terms)
