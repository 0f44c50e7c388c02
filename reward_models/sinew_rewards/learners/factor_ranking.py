"""Learns from what matters, in order: factor by factor decides which of two clips is better.

After Bukharin et al. 2023, "Deep Reinforcement Learning from Hierarchical Weak Preference Feedback"
(HERON). Nobody has to weigh a factor against another, so its unit does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import FloatArray
from sinew_data.feedback import types as said
from sinew_data.feedback.types import Clip, Comparison, Feedback

from sinew_rewards.learned.features import KeypointFeatures
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.preference_fit import FitConfig, fit_ensemble
from sinew_rewards.scorers.preference import PreferenceScorer, scorer_of

LEAST_SPREAD = 1e-12  # of a factor over clips, in its own unit: below, it decides nothing


@dataclass(frozen=True, slots=True)
class Config:
    """Which clips are compared, and how the ensemble is fitted to the answers."""

    names: tuple[str, ...] = KeypointFeatures.names  # of the episodes' features, in their order
    rows: int = 20  # control periods of a clip; a shorter episode is taken whole
    pairs: int = 1000  # drawn for each person who ranked factors
    fit: FitConfig = field(default_factory=lambda: FitConfig(over="mean"))

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.rows, self.pairs) < 1:
            raise ValueError("rows and pairs: expected at least 1.")


class FactorRanking:
    """Learns a reward from rankings of factors; each person's newest ranking counts."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> PreferenceScorer:
        """Learn; ConfigError without a ranking, for an unknown factor, or where nothing is ever decided."""
        rankings = newest_rankings(feedback)
        if not rankings:
            raise ConfigError("there is no ranking of factors to learn from.")
        rng = np.random.default_rng([41, seed])
        told = [
            comparison for ranking in rankings for comparison in compare(episodes, ranking, self._config, rng)
        ]
        network = fit_ensemble(episodes, told, self._config.fit, seed)
        return scorer_of(network, np.concatenate([item.features for item in episodes.trajectories]))


def newest_rankings(feedback: Sequence[Feedback]) -> list[said.FactorRanking]:
    """Return each person's last word on what matters."""
    newest: dict[str, said.FactorRanking] = {}
    for entry in sorted(feedback, key=lambda entry: entry.when):
        if isinstance(entry.said, said.FactorRanking):
            newest[entry.who] = entry.said
    return list(newest.values())


def compare(
    episodes: Episodes, ranking: said.FactorRanking, config: Config, rng: np.random.Generator
) -> list[Comparison]:
    """Return the comparisons of drawn pairs of clips that a ranking decides."""
    clips = cut(episodes, config.rows)
    factors = np.stack([episodes.features(clip).astype(np.float64).mean(0) for clip in clips])
    columns = [column_of(factor.name, config.names, factors.shape[1]) for factor in ranking.factors]
    signs = np.array([1.0 if factor.better == "more" else -1.0 for factor in ranking.factors])
    scores = in_spreads(factors[:, columns]) * signs  # (clips, levels), more is better
    chosen = rng.integers(len(clips), size=(config.pairs, 2))
    margins = np.array([factor.margin for factor in ranking.factors])
    decided = decide(scores[chosen[:, 0]] - scores[chosen[:, 1]], margins)
    return [
        Comparison(clips[a], clips[b], float(better > 0))
        for (a, b), better in zip(chosen, decided, strict=True)
        if better != 0
    ]


def decide(differences: FloatArray, margins: FloatArray) -> FloatArray:
    """Return 1 where the first is better, -1 where the second is, 0 where no factor decides, (n).

    Of differences (n, levels) in standard deviations, the most important level first: the first that
    exceeds its margin (levels) decides.
    """
    clear = np.abs(differences) > margins
    level = clear.argmax(1)
    rows = np.arange(len(differences))
    found: FloatArray = np.sign(differences[rows, level]) * clear[rows, level]
    return found


def in_spreads(factors: FloatArray) -> FloatArray:
    """Return factors (n, levels) in standard deviations over clips; one that never changes becomes 0."""
    spread = factors.std(0)
    centred = factors - factors.mean(0)
    found: FloatArray = np.where(spread > LEAST_SPREAD, centred / np.maximum(spread, LEAST_SPREAD), 0.0)
    return found


def column_of(name: str, names: Sequence[str], size: int) -> int:
    """Return which feature a factor is; ConfigError for an unknown one, or if names do not fit features."""
    if len(names) != size:
        raise ConfigError(
            f"factors are named after {len(names)} features, and the episodes have {size}: say their `names`."
        )
    if name not in names:
        raise ConfigError(f"factor '{name}': there is no such feature.{did_you_mean(name, names)}")
    return list(names).index(name)


def cut(episodes: Episodes, rows: int) -> list[Clip]:
    """Return the episodes cut into clips of so many rows; what is left at an end belongs to the last one."""
    clips = []
    for item in episodes.trajectories:
        starts = list(range(0, max(len(item.stamps) - rows, 0) + 1, rows))
        ends = [start - 1 for start in starts[1:]] + [len(item.stamps) - 1]
        clips += [
            Clip(item.name, int(item.stamps[start]), int(item.stamps[end]))
            for start, end in zip(starts, ends, strict=True)
        ]
    return clips
