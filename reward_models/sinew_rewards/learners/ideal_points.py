"""Ideal points: everybody likes best what is nearest to a point of their own, a mixture of few prototypes.

After Chen et al. 2024 (PAL, model A); a clip's distance is the mean over its steps, so that the reward of a
step is what is compared.
"""

from __future__ import annotations

from collections.abc import Sequence

from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.ideal_points_fit import Config, fit_space
from sinew_rewards.learners.operators import operator_pairs, rows_of
from sinew_rewards.scorers.ideal_points import IdealPointsScorer, levels_of

__all__ = ["Config", "IdealPoints"]


class IdealPoints:
    """Learns from comparisons, rankings, ratings and marks whose `who` are the operators."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> IdealPointsScorer:
        """Learn; ConfigError where an operator's comparisons say nothing, or there are none."""
        told = operator_pairs(episodes, feedback)
        space, weights = fit_space(told, self._config, seed)
        levels = levels_of(space, weights, rows_of(episodes))
        return IdealPointsScorer(self._config, space, told.names, weights, levels)
