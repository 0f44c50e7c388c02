"""Maximum-entropy inverse RL from episodes alone: demonstrations are exponentially likelier by their return.

Ziebart et al. 2008, with the partition function estimated by importance weighting over the episodes given
(Boularias et al. 2011, relative entropy IRL; Finn et al. 2016, guided cost learning). For small tabular
tasks `maximum_entropy_tabular` does it exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback
from torch import Tensor

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.outcomes import Outcome, outcomes_of
from sinew_rewards.scorers.state_reward import StateReward, state_reward, steepness


@dataclass(frozen=True, slots=True)
class Config:
    """The network, and how it is fitted."""

    hidden: tuple[int, ...] = (64, 64)
    members: int = 3
    bound: float = 1.0  # of the reward of a step
    horizon: float = 10.0  # steps that the mean reward of an episode counts for, whatever its length
    rows: int = 32  # that stand for an episode, evenly spread
    lipschitz: float = 1.0  # most change of the reward for a standard deviation of the features
    penalty: float = 1.0  # weight of what is steeper than that, squared
    steps: int = 200
    rate: float = 2e-3
    decay: float = 1e-2

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.members, self.steps, self.rows) < 1:
            raise ValueError("expected members, steps and rows of at least 1.")
        if min(self.bound, self.horizon, self.lipschitz, self.rate) <= 0:
            raise ValueError("expected bound, horizon, lipschitz and rate above 0.")
        if min(self.penalty, self.decay) < 0:
            raise ValueError("expected penalty and decay of at least 0.")


class MaximumEntropy:
    """Learns from marks, or from how episodes ended; all episodes together stand for what may happen.

    An episode that resembles many others weighs less in the partition function, by the inverse of its
    density among them: it does not matter how often the same thing was tried.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> StateReward:
        """Learn; ConfigError where there is no demonstration, or nothing but demonstrations."""
        config = self._config
        told = [each for each in outcomes_of(episodes, feedback) if not each.disputed]
        good = _demonstrations(told)
        rows = spread_rows(told, config.rows)  # (n, rows, d)
        network = Ensemble(rows.shape[2], config.hidden, config.members, seed=seed)
        network.look(np.concatenate([each.features for each in told]))
        weights = torch.as_tensor(rarity(rows), dtype=torch.float32).log()
        looks, generator = torch.as_tensor(rows, dtype=torch.float32), torch.Generator().manual_seed(seed)
        search = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
        for _ in range(config.steps):
            returns = config.horizon * state_reward(network, looks, config.bound).mean(-1)  # (members, n)
            loss = torch.logsumexp(weights + returns, 1).sum() - returns[:, good].mean(1).sum()
            loss = loss + config.penalty * self._too_steep(network, looks, generator)
            search.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            search.step()
        return StateReward(network, config.bound)

    def _too_steep(self, network: Ensemble, looks: Tensor, generator: torch.Generator) -> Tensor:
        """Return how far the reward is steeper than allowed at a row of each episode, squared."""
        n, rows, _ = looks.shape
        drawn = torch.randint(rows, (n,), generator=generator)
        at = looks[torch.arange(n), drawn].clone().requires_grad_()
        slopes = steepness(state_reward(network, at, self._config.bound), at, network.std)
        return torch.relu(slopes - self._config.lipschitz).square().mean()


def spread_rows(told: Sequence[Outcome], count: int) -> FloatArray:
    """Return `count` rows of each episode (n, count, d), evenly spread over the time of the longest.

    A shorter one rests at its last row: one that ends early with success would otherwise count as little
    time well spent.
    """
    longest = max(len(each.features) for each in told)
    at = np.linspace(0, longest - 1, count).round().astype(np.intp)
    return np.stack([each.features[np.minimum(at, len(each.features) - 1)] for each in told])


def rarity(rows: FloatArray) -> FloatArray:
    """Return the importance weights (n,), sum 1, of episodes (n, rows, d): the inverse of their density.

    The density is that of Gaussian kernels on an episode's rows, as wide as half the median distance.
    """
    flat = (rows - rows.mean((0, 1))) / np.maximum(rows.std((0, 1)), 1e-6)
    flat = flat.reshape(len(rows), -1)
    square = np.square(flat).sum(1)
    apart = np.maximum(square[:, None] + square[None] - 2 * flat @ flat.T, 0.0)
    width = np.median(apart[~np.eye(len(apart), dtype=bool)]) / 4
    weights = 1 / np.exp(-apart / (2 * max(width, 1e-12))).sum(1)
    return np.asarray(weights / weights.sum(), np.float64)


def _demonstrations(told: Sequence[Outcome]) -> npt.NDArray[np.intp]:
    """Return the places of the demonstrations; ConfigError where there are none, or nothing else."""
    good = np.flatnonzero([each.good for each in told])
    if not 0 < len(good) < len(told):
        raise ConfigError(
            f"maximum-entropy IRL: {len(good)} of {len(told)} episodes are demonstrations; it needs some "
            "that were a success, and others: mark some."
        )
    return good
