"""Similarity first: triplets say which features matter, then few comparisons are enough for a reward on them.

After Bobu et al. 2023, "SIRL: Similarity-based Implicit Representation Learning".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback, Triplet

from sinew_rewards.learned.network import Ensemble, ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.operators import kinds_in_words, rows_of
from sinew_rewards.learners.preference_fit import FitConfig, fit_ensemble
from sinew_rewards.learners.preference_pairs import weighed
from sinew_rewards.learners.similarity_fit import SpaceConfig, fit_similarity
from sinew_rewards.scorers.preference import PreferenceScorer, scorer_of

# Few comparisons of few numbers: a linear reward on the space, and none held out to say when to stop.
FEW = FitConfig(hidden=(), members=5, held_out=0.0, epochs=150, learning_rate=3e-2)


@dataclass(frozen=True, slots=True)
class Config:
    """The space, and the reward on it."""

    space: SpaceConfig = field(default_factory=SpaceConfig)
    fit: FitConfig = FEW


class SimilarityScorer:
    """A reward on what people look at; value, progress and uncertainty as of comparisons."""

    def __init__(self, space: Ensemble, reward: PreferenceScorer) -> None:
        self.space, self._reward = space, reward

    def reset(self) -> None:
        """Nothing to forget."""

    def score(self, features: FloatArray) -> Score:
        """Score a step of features (d,)."""
        return self._reward.score(self.space.of(features)[0])

    def settings(self) -> Mapping[str, Any]:
        """Return the reward's settings."""
        return self._reward.settings()

    def arrays(self) -> Arrays:
        """Return the space's weights and the reward's."""
        parts = {"space": self.space.arrays(), "reward": self._reward.arrays()}
        return {f"{part}.{name}": x for part, arrays in parts.items() for name, x in arrays.items()}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these; ValueError or KeyError where something is missing."""
        space, reward = (
            {name.removeprefix(part): x for name, x in arrays.items() if name.startswith(part)}
            for part in ("space.", "reward.")
        )
        return cls(ensemble_of(space), PreferenceScorer.restore(settings, reward))


class Similarity:
    """Learns from triplets, and from comparisons and what implies some."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> SimilarityScorer:
        """Learn; ConfigError where there are no triplets, or nothing says which of two clips is better."""
        entries = {entry.id: entry for entry in feedback}.values()
        triplets = [entry.said for entry in entries if isinstance(entry.said, Triplet)]
        if not triplets:
            raise ConfigError(
                f"similarity: expected triplets, got {kinds_in_words(feedback)}; `bradley_terry` learns from "
                "comparisons alone."
            )
        space = fit_similarity(episodes, triplets, self._config.space, seed)
        seen = seen_through(space, episodes)
        reward = fit_ensemble(seen, weighed(feedback), self._config.fit, seed)
        rows = rows_of(seen).astype(np.float64)
        return SimilarityScorer(space, scorer_of(reward, rows))


@torch.no_grad()
def seen_through(space: Ensemble, episodes: Episodes) -> Episodes:
    """Return episodes whose features are their places (T, dims) in the space."""
    return Episodes(
        [
            replace(item, features=space(torch.from_numpy(item.features))[0].numpy())
            for item in episodes.trajectories
        ]
    )
