"""Variational preference learning: what a step is worth to whom, who being a latent read from comparisons.

After Poddar et al. 2024 (VPL), with an encoder that knows no order, the KL with its 1/2, and annealing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.operators import operator_pairs, part_of
from sinew_rewards.learners.variational_fit import Config, fit_latent, fit_networks
from sinew_rewards.scorers.variational import VariationalScorer

__all__ = ["Config", "Variational"]


class Variational:
    """Learns from comparisons, rankings, ratings and marks whose `who` are the operators."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> VariationalScorer:
        """Learn; ConfigError where an operator's comparisons say nothing, or there are none."""
        told = operator_pairs(episodes, feedback)
        networks = fit_networks(told, self._config, seed)
        latents = [
            fit_latent(networks, part_of(told.pairs, told.who == number), self._config)
            for number in range(len(told.names))
        ]
        means, spreads = (torch.stack(each) for each in zip(*latents, strict=True))
        return VariationalScorer(self._config, networks, told.names, means, spreads)
