"""Adversarial inverse RL on states alone: what tells successful demonstrations from other episodes.

Fu, Luo and Levine 2018 (AIRL): a discriminator sigma(f - log pi) with f = g(s) + gamma h(s') - h(s), whose
g is the reward and whose h takes up shaping, so that g means the same to another body (Asali and Doshi,
Visual IRL). The gradient penalty is that of Blonde et al. 2022: without it rewards drop off too steeply to
lead anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Feedback
from torch import Tensor
from torch.nn import functional

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.outcomes import Outcome, outcomes_of
from sinew_rewards.scorers.state_reward import StateReward, state_reward, steepness


@dataclass(frozen=True, slots=True)
class Config:
    """The networks, and how they are fitted."""

    hidden: tuple[int, ...] = (64, 64)
    members: int = 3
    bound: float = 1.0  # of the reward of a step
    discount: float = 0.99
    lipschitz: float = 1.0  # most change of g, and of h, for a standard deviation of the features
    penalty: float = 10.0  # weight of what is steeper than that, squared
    batch: int = 256  # transitions, half of them of demonstrations
    steps: int = 400
    rate: float = 1e-3
    decay: float = 1e-3

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.members, self.steps) < 1 or self.batch < 2:
            raise ValueError("expected members and steps of at least 1 and a batch of at least 2.")
        if min(self.bound, self.lipschitz, self.rate) <= 0 or min(self.penalty, self.decay) < 0:
            raise ValueError("expected bound, lipschitz and rate above 0, penalty and decay not below.")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"expected a discount from 0 to 1, got {self.discount}.")


class AdversarialIrl:
    """Learns from marks, or from how episodes ended; what is no demonstration is what it is told from.

    Offline there is no policy to ask for log pi: the other episodes given stand for what the arm does
    without the reward, and f becomes the logarithm of how much likelier a transition is in demonstrations.
    Episodes of which nothing is known count as others, evenly disputed ones as neither.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> StateReward:
        """Learn; ConfigError where there is no demonstration, or nothing but demonstrations."""
        config = self._config
        told = [each for each in outcomes_of(episodes, feedback) if not each.disputed]
        good = np.array([each.good for each in told])
        _check(good, told)
        rows = _Rows.of(told)
        shown, other = (torch.as_tensor(np.flatnonzero(each)) for each in (good, ~good))
        network = Ensemble(rows.features.shape[1], config.hidden, config.members, outputs=2, seed=seed)
        network.look(rows.features.numpy())
        search = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(config.steps):
            demo, rest = (rows.draw(each, config.batch // 2, generator) for each in (shown, other))
            loss = self._told_apart(network, demo, rest)
            if config.penalty:
                loss = loss + config.penalty * self._too_steep(network, demo[:, 0], rest[:, 0], generator)
            search.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            search.step()
        return StateReward(network, config.bound)

    def _told_apart(self, network: Ensemble, demo: Tensor, rest: Tensor) -> Tensor:
        """Return the cross-entropy of telling transitions (n, 2, d) apart."""
        f = self._advantage(network, torch.cat([demo, rest]))
        labels = torch.cat([torch.ones(len(demo)), torch.zeros(len(rest))]).expand_as(f)
        return functional.binary_cross_entropy_with_logits(f, labels)

    def _advantage(self, network: Ensemble, transitions: Tensor) -> Tensor:
        """Return f (members, n) of transitions (n, 2, d)."""
        out = network(transitions)
        g, h = self._config.bound * torch.tanh(out[:, :, 0, 0]), out[..., 1]
        f: Tensor = g + self._config.discount * h[:, :, 1] - h[:, :, 0]
        return f

    def _too_steep(self, network: Ensemble, demo: Tensor, rest: Tensor, generator: torch.Generator) -> Tensor:
        """Return how far g and h are steeper than allowed between demonstrations and others, squared."""
        part = torch.rand((len(demo), 1), generator=generator)
        between = (part * demo + (1 - part) * rest).requires_grad_()
        g, h = state_reward(network, between, self._config.bound), network(between)[..., 1]
        excess = [
            functional.relu(steepness(each, between, network.std) - self._config.lipschitz) for each in (g, h)
        ]
        return torch.stack(excess).square().mean()


def _check(good: npt.NDArray[np.bool_], told: Sequence[Outcome]) -> None:
    """Raise ConfigError where there is nothing to tell apart."""
    if good.all() or not good.any():
        raise ConfigError(
            f"adversarial IRL: {good.sum()} of {len(told)} episodes are demonstrations; it needs some that "
            "were a success, and others: mark some."
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of n episodes, one after the other, each of which goes on resting at its last row.

    All are taken to be as long as the longest: an episode that ends early with success would otherwise
    count as little time well spent (Kostrikov et al. 2019, absorbing states in adversarial imitation).
    """

    features: Tensor  # (N, d)
    starts: Tensor  # (n,)
    lengths: Tensor  # (n,)

    @classmethod
    def of(cls, told: Sequence[Outcome]) -> _Rows:
        features = np.concatenate([each.features for each in told])
        lengths = torch.as_tensor([len(each.features) for each in told])
        return cls(torch.as_tensor(features, dtype=torch.float32), lengths.cumsum(0) - lengths, lengths)

    def draw(self, among: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Draw transitions (count, 2, d) of some of the episodes, by their numbers."""
        which = among[torch.randint(len(among), (count,), generator=generator)]
        longest = max(int(self.lengths.max()), 2)
        when = torch.randint(longest - 1, (count, 1), generator=generator) + torch.arange(2)
        at = torch.minimum(when, self.lengths[which, None] - 1)
        return self.features[self.starts[which, None] + at]
