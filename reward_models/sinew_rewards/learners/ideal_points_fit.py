"""The descent of ideal points: projection, prototypes and everybody's weights; then one operator's alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sinew_core.types import FloatArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learners.operators import OperatorPairs, clip_means, mean_over
from sinew_rewards.learners.preference_pairs import Pairs, spread_looks


@dataclass(frozen=True, slots=True)
class Config:
    """The space of the points, how many prototypes there are, and the descent."""

    prototypes: int = 2
    dims: int = 4  # of the space; 0: that of the standardised features, as they are
    hidden: tuple[int, ...] = (32,)  # of the projection into it; none: a linear one
    rows: int = 12  # of a clip that one update looks at
    batch: int = 128  # comparisons
    updates: int = 500
    refinements: int = 200  # updates of one operator's weights, the rest being fixed
    learning_rate: float = 3e-3  # of the projection
    point_rate: float = 2e-2  # of prototypes and weights, which must go further
    weight_decay: float = 1e-2  # of the projection
    tightness: float = 5e-3  # cost of prototypes far apart: of all that explain the answers, the nearest

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.prototypes, self.rows, self.batch, self.updates, *self.hidden) < 1:
            raise ValueError("prototypes, hidden, rows, batch and updates: expected at least 1.")
        if min(self.dims, self.refinements, self.weight_decay, self.tightness) < 0:
            raise ValueError("dims, refinements, weight_decay and tightness: expected at least 0.")
        if min(self.learning_rate, self.point_rate) <= 0:
            raise ValueError("learning_rate and point_rate: expected above 0.")


class Space(nn.Module):
    """Where items lie, the prototypes, and how fast odds rise with squared distance."""

    def __init__(self, projection: Ensemble, prototypes: Tensor, log_sharpness: Tensor) -> None:
        super().__init__()
        self.projection = projection  # (d) to (dims), one member
        self.prototypes = nn.Parameter(prototypes)  # (k, dims)
        self.log_sharpness = nn.Parameter(log_sharpness)  # ()

    def distances(self, rows: Tensor, weights: Tensor) -> Tensor:
        """Return squared distances (...) of rows (..., d) from the ideal points of `weights` (..., k)."""
        away = self.projection(rows)[0] - weights @ self.prototypes
        distances: Tensor = away.square().sum(-1)
        return distances

    def spread(self) -> Tensor:
        """Return how far apart the prototypes are, as log-odds; () and the same in whatever unit."""
        away = self.prototypes - self.prototypes.mean(0)
        return torch.exp(self.log_sharpness) * away.square().sum(-1).mean()


def fit_space(told: OperatorPairs, config: Config, seed: int) -> tuple[Space, Tensor]:
    """Return the space and every operator's weights (operators, k) on the simplex (PAL, model A).

    Every operator counts alike, however many comparisons they made.
    """
    generator = torch.Generator().manual_seed(seed)
    space = _space(told.pairs, config, seed)
    logits = nn.Parameter(torch.zeros((len(told.names), config.prototypes)))
    adam = torch.optim.AdamW(
        [
            {"params": _projecting(space, config), "weight_decay": config.weight_decay},
            {"params": [space.prototypes, space.log_sharpness], "lr": config.point_rate},
            {"params": [logits], "lr": 5 * config.point_rate},  # a softmax is slow to say no
        ],
        lr=config.learning_rate,
        weight_decay=0.0,
    )
    falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, config.updates)
    alike = 1.0 / told.counts()[told.who].float()
    for _ in range(config.updates):
        chosen = torch.multinomial(alike, config.batch, replacement=True, generator=generator)
        loss = _loss(space, told.pairs, chosen, logits[told.who[chosen]], config, generator)
        loss = loss + config.tightness * space.spread()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        falling.step()
    return space.requires_grad_(False), logits.detach().softmax(-1)


def fit_weights(space: Space, pairs: Pairs, config: Config, seed: int = 0) -> Tensor:
    """Return the weights (k) of one operator on the simplex; the space stays as it is."""
    generator = torch.Generator().manual_seed(seed)
    logits = nn.Parameter(torch.zeros(len(space.prototypes)))
    adam = torch.optim.Adam([logits], lr=5 * config.point_rate)
    for _ in range(config.refinements):
        chosen = torch.randint(len(pairs), (min(config.batch, len(pairs)),), generator=generator)
        loss = _loss(space, pairs, chosen, logits.expand(len(chosen), -1), config, generator)
        (logits.grad,) = torch.autograd.grad(loss, [logits])
        adam.step()
    return logits.detach().softmax(-1)


def k_means(points: FloatArray, count: int, seed: int) -> FloatArray:
    """Return `count` centres (count, d) of points (n, d): k-means++ and 20 rounds of Lloyd's algorithm."""
    rng = np.random.default_rng(seed)
    centres = points[rng.integers(len(points), size=1)]
    while len(centres) < count:
        apart = _apart(points, centres).min(1) + 1e-12
        centres = np.vstack([centres, points[rng.choice(len(points), p=apart / apart.sum())]])
    for _ in range(20):
        nearest = _apart(points, centres).argmin(1)
        for number in np.unique(nearest):
            centres[number] = points[nearest == number].mean(0)
    return centres


def _apart(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return squared distances (n, k)."""
    found: FloatArray = np.square(points[:, None] - centres).sum(-1)
    return found


def _space(pairs: Pairs, config: Config, seed: int) -> Space:
    """Return the space as it is at first, its prototypes among the items that were preferred."""
    size = pairs.rows.shape[1]
    if config.dims:
        projection = Ensemble(size, config.hidden, 1, config.dims, seed=seed)
    else:
        projection = Ensemble(size, (), 1, size)
        projection.weights[0].data = torch.eye(size)[None]
    projection.look(pairs.rows.numpy())
    with torch.no_grad():
        items = clip_means(pairs, projection(pairs.rows)[0], config.rows)
    decided = pairs.labels != 0.5
    better = torch.where(pairs.labels[decided, None] > 0.5, items[decided, 0], items[decided, 1])
    centres = k_means(better.numpy().astype(np.float64), config.prototypes, seed)
    return Space(projection, torch.from_numpy(centres).float(), torch.zeros(()))


def _projecting(space: Space, config: Config) -> list[nn.Parameter]:
    """Return what is learned of the projection."""
    return list(space.projection.parameters()) if config.dims else []


def _loss(
    space: Space, pairs: Pairs, chosen: Tensor, logits: Tensor, config: Config, generator: torch.Generator
) -> Tensor:
    """Return how unlikely the chosen (b) comparisons are to operators of these logits (b, k)."""
    looks = spread_looks(pairs, chosen, config.rows, generator)
    weights = logits.softmax(-1)
    distances = space.distances(pairs.rows[looks.at], weights[:, None, None])  # (b, 2, r)
    clips = mean_over(looks, distances[..., None])[..., 0]
    odds = torch.exp(space.log_sharpness) * (clips[:, 1] - clips[:, 0])
    loss: Tensor = binary_cross_entropy_with_logits(odds, pairs.labels[chosen], pairs.weights[chosen])
    return loss
