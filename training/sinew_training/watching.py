"""What a training notices about its own reward: every episode is watched, and alarms are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinew_core.protocols import RewardModel
from sinew_core.runtime import Step
from sinew_core.types import FloatArray, Observation, RewardEstimate
from sinew_rewards.learned.saved import LearnedFacts
from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Watched
from sinew_rewards.watching.gathering import Gathering
from sinew_rewards.watching.watch import Watch


class Witness:
    """Sees one episode as its reward model graded it; the verdict is whether the task was done."""

    def __init__(self, reward: RewardModel) -> None:
        self._reward, self._gathering = reward, Gathering()
        self._steps = 0
        self.watched: Watched | None = None

    def take(self, step: Step) -> None:
        """Take a control period."""
        self._gathering.take(step.reward, _inputs(self._reward))

    def end(self, observation: Observation, reward: RewardEstimate, *, terminated: bool) -> None:
        """Take what is seen at the end."""
        self._gathering.take(reward, _inputs(self._reward))
        self.watched = self._gathering.end(float(terminated))


def make_watch(config: WatchConfig, reward: RewardModel) -> Watch:
    """Return a watch that knows the inputs of a learned reward, and none of another's."""
    facts = getattr(reward, "facts", None)
    if isinstance(facts, LearnedFacts):
        return Watch(config, facts.feature_names, facts.spreads)
    return Watch(config)


def notice(watch: Watch, watched: Watched | None) -> list[Mapping[str, Any]]:
    """Take an episode; return what is noticed for the first time, as JSON values."""
    return [] if watched is None else [finding.as_json() for finding in watch.take(watched)]


def _inputs(reward: RewardModel) -> FloatArray | None:
    """Return the features (d,) that a learned reward looked at last; others have none."""
    seen: FloatArray | None = getattr(reward, "seen", None)
    return seen
