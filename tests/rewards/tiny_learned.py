"""A learner that is nothing but a line through its features, and the files of a learned reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from sinew_core.errors import ConfigError
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.types import Feedback
from sinew_rewards.learned.features import FeatureConfig, KeypointFeatures
from sinew_rewards.learned.saved import LearnedFacts, save_learned, spreads_of
from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.card import RewardCard, card_path, save_card

SIZE = len(KeypointFeatures.names)
GOOD = {"rank_correlation": 0.9, "pair_accuracy": 0.9, "latency_ms": 1.0, "episodes": 8.0}


class TinyScorer:
    """The value is a weighted sum of features."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = np.asarray(weights, np.float64)

    def reset(self) -> None:
        pass

    def score(self, features: np.ndarray) -> Score:
        value = float(features @ self.weights)
        return Score(value, success=0.7, progress=0.5, uncertainty=0.1, terms={"doubled": 2 * value})

    def settings(self) -> Mapping[str, Any]:
        return {}

    def arrays(self) -> Arrays:
        return {"weights": self.weights}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        return cls(arrays["weights"])


class ValueScorer(TinyScorer):
    """Says nothing but a value."""

    def score(self, features: np.ndarray) -> Score:
        return Score(float(features @ self.weights), uncertainty=float(abs(features[1])) + 0.01)


@dataclass(frozen=True)
class Config:
    rate: float = 1.0


class TinyLearner:
    """The mean difference between preferred and other clips is the weight."""

    def __init__(self, config: Config) -> None:
        self._rate = config.rate

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> ValueScorer:
        found = [comparison for comparison, _ in comparisons_of(feedback)]
        if not found:
            raise ConfigError("tiny: expected some comparisons, got none.")
        sides = [
            (c.preferred - 0.5) * (episodes.features(c.first).mean(0) - episodes.features(c.second).mean(0))
            for c in found
        ]
        return ValueScorer(self._rate * np.mean(sides, 0))


class NoScorer:
    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> str:
        return "weights"


def facts(**changes: Any) -> LearnedFacts:
    fields = {
        "features": FeatureConfig(),
        "feature_names": KeypointFeatures.names,
        "feature_tag": KeypointFeatures.tag,
        "spreads": spreads_of(np.zeros((2, SIZE))),
        "robot": "so101",
    }
    return LearnedFacts(**{**fields, **changes})


def write_reward(path: Path, scorer: TinyScorer | None = None, **changes: Any) -> LearnedFacts:
    """Write a learned reward without a card."""
    return save_learned(path, scorer or TinyScorer(np.ones(SIZE)), facts(**changes))


def write_card(path: Path, sha256: str, **changes: Any) -> None:
    """Write the card of a reward, one that passes by default."""
    figures = changes.pop("figures", GOOD)
    save_card(card_path(path), RewardCard(sha256, figures, **changes))
