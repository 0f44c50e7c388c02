"""Fits an ensemble to comparisons of clips by gradient descent: the core of all learners from pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from sinew_data.feedback.types import Comparison
from torch import Tensor

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.preference_loss import Ties, losses
from sinew_rewards.learners.preference_pairs import Looks, Pairs, pairs_of, spread_looks

LEAST_SCALE = 1e-6  # of a member's values, below which they are all the same
SHARPNESS = 4.0  # log-odds of a fresh network's values differing by 1 over whole clips: a head start
FEWEST_HELD_OUT = 5  # comparisons, below which a held-out loss says nothing


@dataclass(frozen=True, slots=True)
class FitConfig:
    """The networks, the model of the answers, and the descent."""

    hidden: tuple[int, ...] = (32, 32)
    members: int = 3
    over: Literal["sum", "mean"] = "sum"  # of a clip's rewards that is compared; sum: partial return
    ties: Ties = "half"  # see preference_loss.py
    flips: float = 0.0  # share of answers taken to be the wrong way round
    smoothing: float = 0.0  # by which labels are moved from 0 and 1 towards the middle
    bootstrap: bool = True  # each member learns from its own draw of the comparisons
    held_out: float = 0.1  # share of families that a member does not learn from: they say when to stop
    epochs: int = 40  # at most
    patience: int = 6  # epochs without a better held-out loss, after which it ends
    batch: int = 32  # comparisons
    rows: int = 16  # of a clip that one update looks at; of a longer one, others each time
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.members, self.epochs, self.patience, self.batch, self.rows, *self.hidden) < 1:
            raise ValueError("hidden, members, epochs, patience, batch and rows: expected at least 1.")
        if not 0 <= self.flips < 0.5 or not 0 <= self.smoothing < 0.5 or not 0 <= self.held_out < 1:
            raise ValueError("flips and smoothing: expected 0 to below 0.5; held_out: 0 to below 1.")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError("expected a learning_rate above 0 and a weight_decay of at least 0.")


def fit_ensemble(
    episodes: Episodes, comparisons: Sequence[Comparison], config: FitConfig, seed: int
) -> Ensemble:
    """Return members fitted to comparisons, standardised over all rows of the episodes.

    ConfigError where the comparisons do not say which way is better. A member ends as it was when its
    held-out loss was least; with too few families to hold any out, after the last epoch.
    """
    pairs = pairs_of(episodes, comparisons)
    network = Ensemble(pairs.rows.shape[1], config.hidden, config.members, seed=seed)
    network.look(pairs.rows.numpy())
    _Descent(network, pairs, config, seed).run()
    standardise(network, pairs.rows, keep_level=config.over == "sum" and pairs.lengths_differ)
    return network


class _Descent:
    """The members on their way down."""

    def __init__(self, network: Ensemble, pairs: Pairs, config: FitConfig, seed: int) -> None:
        self._network, self._pairs, self._config = network, pairs, config
        self._generator = torch.Generator().manual_seed(seed)
        self._tie = torch.nn.Parameter(torch.zeros((config.members, 1)))
        self._unit = (pairs.mean_length if config.over == "sum" else 1.0) / SHARPNESS
        held = held_out(pairs, config, self._generator)
        drawn = draws(len(pairs), config.members if config.bootstrap else 0, self._generator)
        self._learning = drawn * pairs.weights * ~held
        self._held = held * pairs.weights
        self._labels = pairs.labels * (1 - 2 * config.smoothing) + config.smoothing
        self._least = torch.full((config.members,), torch.inf)
        self._best = self._parameters()

    def run(self) -> None:
        """Go down until no member has become better for a while, and return to the best."""
        adam = torch.optim.AdamW(
            [*self._network.parameters(), self._tie],
            lr=self._config.learning_rate,
            weight_decay=self._config.weight_decay,
        )
        watched = torch.nonzero(self._held.any(0)).ravel()
        since = 0
        for _ in range(self._config.epochs):
            self._epoch(adam)
            since = 0 if self._better(watched) else since + 1
            if since >= self._config.patience:
                break
        self._take_best()

    def _epoch(self, adam: torch.optim.Optimizer) -> None:
        order = torch.randperm(len(self._pairs), generator=self._generator)
        for begin in range(0, len(order), self._config.batch):
            chosen = order[begin : begin + self._config.batch]
            looks = spread_looks(self._pairs, chosen, self._config.rows, self._generator)
            loss = (self._losses(looks, self._labels[chosen]) * self._learning[:, chosen]).sum()
            adam.zero_grad()
            (loss / len(chosen)).backward()  # type: ignore[no-untyped-call]
            adam.step()

    def _losses(self, looks: Looks, labels: Tensor) -> Tensor:
        """Return the loss (members, b) of each comparison."""
        difference = differences(self._network, self._pairs.rows, looks, self._config.over) / self._unit
        return losses(difference, labels, self._tie, self._config.ties, self._config.flips)

    @torch.no_grad()
    def _better(self, watched: Tensor) -> bool:
        """Keep the members whose held-out loss is their least; tell whether there is any."""
        if not len(watched):
            self._best = self._parameters()
            return True
        looks = spread_looks(self._pairs, watched, self._config.rows, None)
        shares = self._held[:, watched]
        loss = (self._losses(looks, self._pairs.labels[watched]) * shares).sum(1) / shares.sum(1)
        better = loss < self._least
        self._least = torch.where(better, loss, self._least)
        for kept, now in zip(self._best, self._parameters(), strict=True):
            kept[better] = now[better]
        return bool(better.any())

    def _parameters(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self._network.parameters()]

    @torch.no_grad()
    def _take_best(self) -> None:
        for parameter, kept in zip(self._network.parameters(), self._best, strict=True):
            parameter.copy_(kept)


def differences(network: Ensemble, rows: Tensor, looks: Looks, over: Literal["sum", "mean"]) -> Tensor:
    """Return how much more the first clip of each pair is worth than the second, (members, b)."""
    values = network(rows[looks.at])[..., 0]  # (members, b, 2, r)
    clips = (values * looks.counts).sum(-1)
    if over == "mean":
        clips = clips / looks.counts.sum(-1)
    found: Tensor = clips[..., 0] - clips[..., 1]
    return found


def held_out(pairs: Pairs, config: FitConfig, generator: torch.Generator) -> Tensor:
    """Return which comparisons each member does not learn from, (members, n).

    Each member leaves out other families, and with them every comparison that shows one of them; none
    where that would leave too little on either side for any member.
    """
    kinds = int(pairs.families.max()) + 1
    count = round(config.held_out * kinds)
    left_out = torch.zeros((config.members, kinds), dtype=torch.bool)
    for member in left_out:
        member[torch.randperm(kinds, generator=generator)[:count]] = True
    held = left_out[:, pairs.families].any(-1)
    enough = (held.sum(1) >= FEWEST_HELD_OUT) & ((~held).sum(1) >= FEWEST_HELD_OUT)
    return held if bool(enough.all()) else torch.zeros_like(held)


def draws(count: int, members: int, generator: torch.Generator) -> Tensor:
    """Return how often each member has drawn each of `count` comparisons with replacement, (members, count).

    Without members it is once, for whoever there is, (1, count).
    """
    if not members:
        return torch.ones((1, count))
    drawn = torch.randint(count, (members, count), generator=generator)
    return torch.zeros((members, count)).scatter_add_(1, drawn, torch.ones((members, count)))


@torch.no_grad()
def standardise(network: Ensemble, rows: Tensor, *, keep_level: bool) -> None:
    """Give each member the same mean and the spread 1 over rows (N, d), by its last layer.

    Only then do mean, minimum and variance over members mean anything (Coste et al. 2023): comparisons
    leave each member's scale open, and its level too unless clips differ in length. With `keep_level`
    all members get the level that they have on average, else 0.
    """
    values = network(rows)[..., 0]
    mean = values.mean(1)[:, None, None]
    scale = values.std(1, correction=0).clamp_min(LEAST_SCALE)[:, None, None]
    level = (mean / scale).mean() if keep_level else 0.0
    network.weights[-1].div_(scale)
    network.biases[-1].sub_(mean).div_(scale).add_(level)
