"""The descent of similarity: a space in which clips that people find alike lie near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Triplet
from torch import Tensor
from torch.nn.functional import relu

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes

MARGIN = 1.0  # by which the odd one out must be further away, squared; it sets the unit of the space
EVERY = 10  # updates between looks at which triplets are hard
LEAST_GATE = 0.1  # of the strongest feature's weights, below which a feature has told nothing
FLOOR = 0.1  # share of the mean loss at which an easy triplet is still drawn


@dataclass(frozen=True, slots=True)
class SpaceConfig:
    """The space, and the descent to it."""

    dims: int = 6
    hidden: tuple[int, ...] = ()  # none: a linear map, which 50 triplets can carry; (32,) needs some hundreds
    rows: int = 24  # of a clip, evenly spread
    batch: int = 32  # triplets
    updates: int = 300
    learning_rate: float = 1e-2
    sparsity: float = 1.0  # pull on a feature's weights, which ends those of features that tell nothing

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.dims, self.rows, self.batch, self.updates, *self.hidden) < 1:
            raise ValueError("dims, hidden, rows, batch and updates: expected at least 1.")
        if self.learning_rate <= 0 or self.sparsity < 0:
            raise ValueError("expected a learning_rate above 0 and a sparsity of at least 0.")


def fit_similarity(
    episodes: Episodes, triplets: Sequence[Triplet], config: SpaceConfig, seed: int
) -> Ensemble:
    """Return the network (d) to (dims) of triplets (Bobu et al. 2023, SIRL); ConfigError for a lost episode.

    Hard triplets are drawn more often. After each update a group lasso (by its proximal step) pulls the
    weights that leave a feature towards zero together: what does not help to tell clips apart goes out
    of the space, and cannot mislead a reward later on.
    """
    rng = np.random.default_rng(seed)
    clips, numbers = _numbered(triplets)
    rows = torch.from_numpy(spread_rows(episodes, clips, config.rows))
    network = Ensemble(rows.shape[-1], config.hidden, 1, config.dims, seed=seed)
    network.look(np.concatenate([item.features for item in episodes.trajectories]))
    adam = torch.optim.Adam(network.parameters())
    for update in range(config.updates):
        rate = config.learning_rate * (1 - update / config.updates)
        if update % EVERY == 0:
            chances = _chances(network, rows, numbers)
        drawn = torch.from_numpy(rng.choice(len(numbers), config.batch, p=chances))
        _update(network, adam, rate, rows, numbers[drawn])
        _shrink(network, rate * config.sparsity)
    _forget(network, config)
    return network


def triplet_losses(places: Tensor, triplets: Tensor) -> Tensor:
    """Return the losses (n) of triplets (n, 3), two that are alike and the other, of places (clips, dims).

    Either of the two that are alike is the anchor once.
    """
    one, two, other = (places[triplets[:, i]] for i in range(3))
    near = (one - two).square().sum(-1)
    far_one, far_two = ((each - other).square().sum(-1) for each in (one, two))
    return relu(near - far_one + MARGIN) + relu(near - far_two + MARGIN)


def spread_rows(
    episodes: Episodes, clips: Sequence[Clip], most: int
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    """Return k rows (clips, k, d) of each clip, evenly spread; of shorter ones, some repeat.

    They are `most`, or as many as the longest clip has.
    """
    found = [episodes.features(clip) for clip in clips]
    count = min(most, max(len(rows) for rows in found))
    middles = (np.arange(count) + 0.5) / count
    return np.stack([rows[(middles * len(rows)).astype(int)] for rows in found])


def places_of(network: Ensemble, rows: Tensor) -> Tensor:
    """Return where clips of rows (clips, r, d) lie, (clips, dims): the mean over their rows."""
    places: Tensor = network(rows)[0].mean(1)
    return places


def agreement(network: Ensemble, episodes: Episodes, triplets: Sequence[Triplet], most: int = 24) -> float:
    """Return the share of triplets whose odd one out is it in the space, too; chance is a third."""
    clips, numbers = _numbered(triplets)
    with torch.no_grad():
        places = places_of(network, torch.from_numpy(spread_rows(episodes, clips, most)))[numbers]
    one, two, other = places.unbind(1)
    near, *far = ((a - b).square().sum(-1) for a, b in ((one, two), (one, other), (two, other)))
    return float((near < torch.minimum(*far)).double().mean())


def gates(network: Ensemble) -> FloatArray:
    """Return how much of each feature (d) enters a network: the norm of the weights that leave it."""
    found: FloatArray = network.weights[0][0].detach().norm(dim=-1).double().numpy()
    return found


def _numbered(triplets: Sequence[Triplet]) -> tuple[list[Clip], Tensor]:
    """Return the distinct clips, and triplets (n, 3) as numbers of clips."""
    clips = list(dict.fromkeys(clip for each in triplets for clip in (*each.alike, each.other)))
    number = {clip: i for i, clip in enumerate(clips)}
    return clips, torch.tensor([[number[c] for c in (*each.alike, each.other)] for each in triplets])


@torch.no_grad()
def _chances(network: Ensemble, rows: Tensor, numbers: Tensor) -> FloatArray:
    """Return how likely each triplet is to be drawn: the likelier the worse it fits."""
    losses = triplet_losses(places_of(network, rows), numbers).double().numpy()
    chances: FloatArray = losses + FLOOR * losses.mean() + 1e-9
    chances /= chances.sum()
    return chances


def _update(
    network: Ensemble, adam: torch.optim.Optimizer, rate: float, rows: Tensor, triplets: Tensor
) -> None:
    for group in adam.param_groups:
        group["lr"] = rate
    clips, numbers = torch.unique(triplets, return_inverse=True)
    loss = triplet_losses(places_of(network, rows[clips]), numbers).mean()
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    adam.step()


@torch.no_grad()
def _shrink(network: Ensemble, by: float) -> None:
    """Move the weights that leave each feature towards zero by `by`, and no further."""
    weight = network.weights[0]
    weight.mul_((1 - by / weight.norm(dim=-1, keepdim=True).clamp_min(1e-12)).clamp_min(0))


@torch.no_grad()
def _forget(network: Ensemble, config: SpaceConfig) -> None:
    """Take out the features that the pull has all but ended: what noise left of them is not there to read."""
    found = torch.from_numpy(gates(network))
    if not found.any():
        raise ConfigError(
            f"similarity: with a sparsity of {config.sparsity:g} no feature is left; the triplets contradict "
            "each other, or a lower sparsity is needed."
        )
    network.weights[0].mul_((found >= LEAST_GATE * found.max())[:, None])
