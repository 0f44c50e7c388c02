"""Regret preferences: the clip that lost less of what was possible is the likelier to be preferred.

After Knox et al. 2022, "Models of human preference for learning reward functions": rewards are linear in
the features, regret(clip) = V*(first) - (sum of rewards + V*(last)), and V*(s) is approximated by a
softmax-weighted maximum over the successor features of many behaviours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Feedback
from torch import Tensor
from torch.nn.functional import logsigmoid

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.preference_fit import draws, standardise
from sinew_rewards.learners.preference_pairs import check_decides, weighed
from sinew_rewards.learners.successor_features import RecordedSuccessors, recorded_successors
from sinew_rewards.scorers.preference import PreferenceScorer, scorer_of


@dataclass(frozen=True, slots=True)
class Config:
    """The behaviours that stand for what was possible, and the descent on the weights."""

    behaviours: int = 8  # clusters of episodes
    neighbours: int = 5  # rows that say what follows a state
    discount: float = 0.98  # of one control period
    sharpness: float = 2.0  # of the maximum over behaviours, in the units of a clip's log-odds
    members: int = 3  # weights, each of its own draw of the comparisons
    steps: int = 400
    learning_rate: float = 0.03
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.behaviours, self.neighbours, self.members, self.steps) < 1:
            raise ValueError("behaviours, neighbours, members and steps: expected at least 1.")
        if not 0 <= self.discount < 1 or self.sharpness <= 0 or self.learning_rate <= 0:
            raise ValueError("expected 0 <= discount < 1, and sharpness and learning_rate above 0.")


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What n pairs of clips collected, and what was possible at their beginnings and ends.

    With `discounts` 0 and `before` 0, the regret is minus the partial return: nothing is looked out for.
    """

    sums: Tensor  # (n, 2, d) discounted features of all rows but the last
    before: Tensor  # (n, 2, b, d) successor features of the first row, by behaviour
    after: Tensor  # (n, 2, b, d) of the last
    discounts: Tensor  # (n, 2) from the first row to the last


class Regret:
    """Learns a linear reward from comparisons by people who know what would have been possible."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> PreferenceScorer:
        """Learn; ConfigError where nothing says which of two clips is better."""
        told = [each for each in weighed(feedback) if each.first != each.second]
        check_decides(told)
        rows = np.concatenate([item.features for item in episodes.trajectories])
        network = Ensemble(rows.shape[1], (), self._config.members, seed=seed)
        network.look(rows)
        known = recorded_successors(
            episodes.trajectories,
            self._config.behaviours,
            self._config.neighbours,
            self._config.discount,
            seed,
        )
        views = outlooks_of(
            episodes, [(each.first, each.second) for each in told], known, self._config.discount
        )
        weights = fit_weights(
            scaled(views, network.std),
            torch.tensor([each.preferred for each in told]),
            torch.tensor([each.strength for each in told]),
            self._config,
            seed,
        )
        with torch.no_grad():
            network.weights[0].copy_(weights[..., None])
            network.biases[0].zero_()
        standardise(network, torch.from_numpy(rows).float(), keep_level=False)
        return scorer_of(network, rows)


def outlooks_of(
    episodes: Episodes, pairs: Sequence[tuple[Clip, Clip]], known: RecordedSuccessors, discount: float
) -> Outlooks:
    """Return what recorded clips collected, and what was possible from their first and last rows on."""
    clips = [episodes.features(clip).astype(np.float64) for pair in pairs for clip in pair]
    powers = discount ** np.arange(max(len(clip) for clip in clips))
    sums = np.stack([powers[: len(clip) - 1] @ clip[:-1] for clip in clips])
    psi = known.of(np.stack([clip[i] for i in (0, -1) for clip in clips]))  # first rows, then last rows
    before, after = psi.reshape(2, len(pairs), 2, *psi.shape[1:])
    last = np.array([powers[len(clip) - 1] for clip in clips])
    return Outlooks(
        *(_tensor(each) for each in (sums.reshape(len(pairs), 2, -1), before, after, last.reshape(-1, 2)))
    )


def scaled(views: Outlooks, scale: Tensor) -> Outlooks:
    """Return outlooks of features divided by `scale` (d)."""
    return Outlooks(views.sums / scale, views.before / scale, views.after / scale, views.discounts)


def regrets(views: Outlooks, weights: Tensor, sharpness: float) -> Tensor:
    """Return the regret (members, n, 2) of each clip under weights (members, d)."""
    collected = torch.einsum("ncd,md->mnc", views.sums, weights)
    at_first = possible(views.before, weights, sharpness)
    at_last = possible(views.after, weights, sharpness)
    return at_first - collected - views.discounts * at_last


def possible(successors: Tensor, weights: Tensor, sharpness: float) -> Tensor:
    """Return V* (members, n, 2): the softmax-weighted maximum over behaviours."""
    values = torch.einsum("ncbd,md->mncb", successors, weights)
    return (torch.softmax(sharpness * values, -1) * values).sum(-1)


def fit_weights(views: Outlooks, labels: Tensor, counts: Tensor, config: Config, seed: int) -> Tensor:
    """Return the weights (members, d) that make answers (n) likely; each answer counts `counts` (n)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (config.members, views.sums.shape[-1])
    weights = torch.nn.Parameter(0.01 * torch.randn(shape, generator=generator))
    shares = draws(len(labels), config.members if config.members > 1 else 0, generator) * counts
    shares = shares / shares.sum(1, keepdim=True)
    adam = torch.optim.Adam([weights], lr=config.learning_rate)
    for _ in range(config.steps):
        said = (shares * negative_log_likelihood(views, weights, labels, config.sharpness)).sum()
        adam.zero_grad()
        (said + config.weight_decay * weights.square().sum()).backward()  # type: ignore[no-untyped-call]
        adam.step()
    return weights.detach()


def negative_log_likelihood(views: Outlooks, weights: Tensor, labels: Tensor, sharpness: float) -> Tensor:
    """Return minus the log-likelihood (members, n) of labels (n), 1 where the first is better."""
    regret = regrets(views, weights, sharpness)
    better = regret[..., 1] - regret[..., 0]
    return -(labels * logsigmoid(better) + (1 - labels) * logsigmoid(-better))


def _tensor(values: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()
