"""What a reward gained since the last observation: it adds up to where the episode ends, however long it is.

After Gao et al. 2024, "On Designing Effective RL Reward at Training Time for LLM Reasoning".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member, reading, together


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, and what of it."""

    source: Mapping[str, Any]  # the plugin whose differences are taken
    of: Literal["value", "progress"] = "value"
    scale: float = 1.0  # of the difference

    def __post_init__(self) -> None:
        """Check the scale."""
        if self.scale <= 0:
            raise ValueError(f"scale: expected above 0, got {self.scale}.")


class Delta:
    """Values: scale * (this estimate - the last one), 0 on the first observation.

    Progress that is not known pays nothing, with `uncertainty` = scale; once it is known again, what was
    gained meanwhile is paid. So an episode's values add up to scale * (last known - first known).
    Terms: `known`, 1 where there is a difference.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "delta", "delta: source", hardware, task)
        self.needs_frames = self._source.needs_frames
        self._last: float | None = None
        self._doubt: float | None = None  # of the last value

    def reset(self, task: Task) -> None:
        """Begin an episode, with nothing before it."""
        self._source.reset(task)
        self._last, self._doubt = None, None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the difference."""
        c, said = self._config, self._source.estimate(observation)
        now, last = reading(said, c.of), self._last
        known = now is not None and last is not None
        terms = {"known": float(known), **self._source.terms(said)}
        if now is None:
            return RewardEstimate(observation.stamp, 0.0, said.success, None, c.scale, terms)
        value = 0.0 if last is None else c.scale * (now - last)
        doubt = together(said.uncertainty, self._doubt)
        self._last, self._doubt = now, said.uncertainty
        stated = None if doubt is None else c.scale * doubt
        return RewardEstimate(observation.stamp, value, said.success, said.progress, stated, terms)
