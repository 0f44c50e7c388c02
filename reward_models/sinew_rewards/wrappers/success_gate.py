"""A reward that pays little without a verdict of success: what only looks good is not worth staying for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.success import JudgedBy, SuccessSource
from sinew_rewards.wrappers.member import make_member, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(JudgedBy):
    """Which reward, who judges success, and the most that is paid without it."""

    source: Mapping[str, Any]  # the plugin whose reward it is
    cap: float  # in its units


class SuccessGate:
    """Values: the source's, at most `cap` unless the judge says that the task is done.

    Success is the judge's verdict, never the source's; a judge that fails leaves it unknown, which is no
    success. What the cap takes away then counts as uncertainty. Progress is the source's, 1 on success.
    Terms: `judged`, 1 where there is a verdict; `taken`, what the cap took away.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "success_gate", "success_gate: source", hardware, task)
        self._judge = SuccessSource(config, hardware, "success_gate")
        self.needs_frames = needs_frames(self._source, self._judge)

    def reset(self, task: Task) -> None:
        """Begin an episode, in which nothing is judged yet."""
        self._source.reset(task)
        self._judge.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward as far as the verdict lets it."""
        said, done = self._source.estimate(observation), self._judge.judge(observation)
        whole = float(said.value)
        value = whole if done else min(whole, self._config.cap)
        terms = {"judged": float(done is not None), "taken": whole - value, **self._source.terms(said)}
        return RewardEstimate(
            observation.stamp,
            value,
            success=None if done is None else float(done),
            progress=1.0 if done else said.progress,
            uncertainty=together(said.uncertainty, whole - value if done is None else None),
            terms=terms,
        )
