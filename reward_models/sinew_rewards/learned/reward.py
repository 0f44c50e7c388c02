"""A learned reward in the graph: whatever learner made it, features in and a checked estimate out."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.learned.admission import reasons_against
from sinew_rewards.learned.features import make_features
from sinew_rewards.learned.saved import LearnedFacts, load_learned
from sinew_rewards.learned.scoring import Scorer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Config:
    """Which weights, and what they may do."""

    weights: Path
    use: Literal["reward", "watch"] = "reward"  # watch: the value is a term only, and nothing ends
    force: bool = False  # use it even where its report card fails; every estimate then says so
    operator: str = ""  # whose taste, of a learner that tells operators apart; empty: everybody's


class LearnedReward:
    """Values as the learner left them; success and progress where it has them.

    Without a passing report card it is refused, unless it only watches or is forced. Features that are
    not known yet give the value 0 with uncertainty 1. Terms: those of the learner, and `forced`.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config = config
        self._scorer, self.facts = load_learned(config.weights)
        self._features = make_features(self.facts.features, hardware)
        self.needs_frames = self._features.needs_frames
        _check_fit(config.weights, self.facts, hardware, self._features.names, self._features.tag)
        if config.operator:
            self._scorer = _for_operator(self._scorer, config)
        self._forced = self._check_card()
        self.seen: FloatArray | None = None  # (d,) the features that the last estimate is about

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._features.reset(task)
        self._scorer.reset()
        if self.facts.task and task.name != self.facts.task:
            log.warning("%s was learnt for '%s', not '%s'", self._config.weights, self.facts.task, task.name)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the estimate; ValueError for features or a score that is not finite."""
        features = self.seen = self._features.of(observation)
        forced = {"forced": float(self._forced)}
        if features is None:
            return RewardEstimate(observation.stamp, 0.0, uncertainty=1.0, terms={"known": 0.0, **forced})
        self._check_finite(features)
        score = self._scorer.score(features)
        if not math.isfinite(score.value):
            raise ValueError(f"{self._config.weights}: the value of a step is {score.value}.")
        terms = {**score.terms, "known": 1.0, **forced}
        if self._config.use == "watch":
            return RewardEstimate(observation.stamp, 0.0, terms={**terms, "watched": score.value})
        return RewardEstimate(
            observation.stamp, score.value, score.success, score.progress, score.uncertainty, terms
        )

    def _check_finite(self, features: FloatArray) -> None:
        if not np.isfinite(features).all():
            bad = [name for name, x in zip(self._features.names, features, strict=True) if not np.isfinite(x)]
            raise ValueError(f"{self._config.weights}: not finite: {', '.join(bad[:5])}.")

    def _check_card(self) -> bool:
        """Tell whether it is forced against its card; ConfigError where it is refused."""
        if self._config.use == "watch":
            return False
        weights = self._config.weights
        reasons = reasons_against(weights, self.facts.weights_sha256)
        if reasons and not self._config.force:
            raise ConfigError(
                f"{weights}: this reward may neither train nor end episodes: {'; '.join(reasons)}. Use "
                "`use: watch` to look at it alone, or `force: true` at your own risk."
            )
        if reasons:
            log.warning("%s is forced although: %s", weights, "; ".join(reasons))
        return bool(reasons)


def _for_operator(scorer: Scorer, config: Config) -> Scorer:
    """Return a scorer with one operator's taste."""
    choose = getattr(scorer, "for_operator", None)
    if choose is None:
        raise ConfigError(f"{config.weights}: does not tell operators apart; leave out `operator`.")
    chosen: Scorer = choose(config.operator)
    return chosen


def _check_fit(
    weights: Path, facts: LearnedFacts, hardware: Hardware, names: tuple[str, ...], tag: str
) -> None:
    if facts.robot != hardware.robot.name:
        raise ConfigError(
            f"{weights}: was learnt on the robot '{facts.robot}', and {hardware.path} has "
            f"'{hardware.robot.name}'."
        )
    if (names, tag) != (facts.feature_names, facts.feature_tag):
        raise ConfigError(
            f"{weights}: was learnt on other features ({facts.feature_tag}, {len(facts.feature_names)}) than "
            f"these ({tag}, {len(names)}): cameras, network or version differ."
        )
