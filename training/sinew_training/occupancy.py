"""A price for being where a base policy is not: the chi-squared divergence of what is visited.

After Laidlaw, Singhal and Dragan 2025, "Correlated Proxies: A New Definition and Improved Mitigation for
Reward Hacking" (ORPO): if a proxy goes with the true reward where a base policy goes, then
J(policy, proxy) - lambda sqrt(chi2(mu_policy || mu_base)) is, for one lambda, a lower bound of what is
truly gained, up to scale. A discriminator d of visited against base observations comes to
log(mu_policy / mu_base); chi2 is the mean of e^d - 1 over what is visited, and its gradient a price for
each step. Deviations from the paper: no price is below 0, because where success ends an episode a bonus
for rare places pays for not finishing; d sees observations alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.types import FloatArray
from torch import Tensor, nn
from torch.nn.functional import softplus

LEAST_SPREAD = 1e-3  # of a number that never changes in the base policy's observations
FARTHEST = 10.0  # standard deviations, at which observations are cut off
BASE, SHOWN, MEAN, STD = "base", "shown", "mean", "std"

Vectors = npt.NDArray[np.floating[Any]]  # (n, d) observations


@dataclass(frozen=True, slots=True)
class OccupancyConfig:
    """What straying costs, and how the discriminator learns."""

    coefficient: float = 0.05  # lambda, in the units of the reward of one decision
    measure: Literal["root_chi2", "chi2"] = "root_chi2"
    clip: float = 4.0  # of d either way, before anything is made of it
    trim: float = 0.01  # share at each end that the estimate of chi2 leaves out
    base_episodes: int = 20  # first ones of a training, which count as the base policy's
    kept: int = 8192  # observations of the base policy, at most
    window: int = 4096  # newest observations, which stand for the present policy
    updates: int = 8  # of the discriminator, each time something is graded
    batch: int = 256  # observations of either kind
    hidden: tuple[int, ...] = (64, 64)
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.coefficient <= 0 or self.clip <= 0 or self.learning_rate <= 0:
            raise ValueError("coefficient, clip and learning_rate: expected above 0.")
        if not 0 <= self.trim < 0.5:
            raise ValueError(f"trim: expected 0 <= trim < 0.5, got {self.trim}.")
        if min(self.kept, self.window, self.updates, self.batch, *self.hidden) < 1:
            raise ValueError("kept, window, updates, batch and hidden: expected at least 1.")
        if self.base_episodes < 0 or self.weight_decay < 0:
            raise ValueError("base_episodes and weight_decay: expected at least 0.")


class Occupancy:
    """The discriminator with what it learns from; all of it is in `tensors` and `state`, for a resume."""

    def __init__(self, config: OccupancyConfig, size: int, seed: int) -> None:
        self.config, self.episodes = config, 0  # of the base policy, beside what it began with
        self._rng = np.random.default_rng(seed)
        self._base, self._shown = torch.zeros((0, size)), torch.zeros((0, size))
        self._mean, self._std = torch.zeros(size), torch.ones(size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = _network(size, config.hidden)
        self._adam = torch.optim.AdamW(
            self._network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    @property
    def ready(self) -> bool:
        """Whether there is a base policy to stray from."""
        return len(self._base) > 0 and self.episodes >= self.config.base_episodes

    def take_base(self, vectors: Vectors) -> None:
        """Add observations (n, d) of the base policy; of too many, some at random stay."""
        base = torch.cat([self._base, _tensor(vectors)])
        if len(base) > self.config.kept:
            chosen = np.sort(self._rng.permutation(len(base))[: self.config.kept])
            base = base[torch.from_numpy(chosen)]
        self._base = base
        self._mean, self._std = base.mean(0), base.std(0, correction=0).clamp_min(LEAST_SPREAD)

    def take(self, vectors: Vectors) -> None:
        """Add observations (n, d) of the present policy; the oldest ones go."""
        self._shown = torch.cat([self._shown, _tensor(vectors)])[-self.config.window :]

    def learn(self, updates: int | None = None) -> None:
        """Improve the discriminator, where there is something of either kind."""
        if not len(self._base) or not len(self._shown):
            return
        for _ in range(self.config.updates if updates is None else updates):
            shown, base = self._d(self._draw(self._shown)), self._d(self._draw(self._base))
            loss = softplus(-shown).mean() + softplus(base).mean()
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def log_ratio(self, vectors: Vectors) -> FloatArray:
        """Return d (n,), about log(mu_policy / mu_base), clipped, of observations (n, d)."""
        with torch.no_grad():
            d = self._d(_tensor(vectors)).clamp(-self.config.clip, self.config.clip)
        return d.numpy().astype(np.float64)

    def chi2(self) -> float:
        """Return the divergence chi2(mu_policy || mu_base) by what was shown, its tails left out."""
        over = np.sort(np.expm1(self.log_ratio(self._shown.numpy())))
        cut = int(self.config.trim * len(over))
        return float(over[cut : len(over) - cut].mean()) if len(over) else 0.0

    def price(self, vectors: Vectors) -> FloatArray:
        """Return what being there costs (n,), at least 0, of observations (n, d)."""
        over = np.maximum(np.expm1(self.log_ratio(vectors)), 0.0)
        if self.config.measure == "root_chi2":
            divergence = self.chi2()
            over = over / np.sqrt(divergence) if divergence > 0 else over
        return self.config.coefficient * over

    def grade(self, vectors: Vectors, *, ends: bool = True) -> FloatArray:
        """Take observations (n, d) of an episode, learn, and return what each costs.

        Nothing does while the base policy acts: until so many episodes have ended.
        """
        if not self.ready:
            self.take_base(vectors)
            self.episodes += ends
            return np.zeros(len(vectors))
        self.take(vectors)
        self.learn()
        return self.price(vectors)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that a checkpoint holds."""
        named = {f"network.{name}": tensor for name, tensor in self._network.state_dict().items()}
        for i, moments in self._adam.state_dict()["state"].items():
            named |= {f"adam.{i}.{name}": tensor for name, tensor in moments.items()}
        return named | {BASE: self._base, SHOWN: self._shown, MEAN: self._mean, STD: self._std}

    def state(self) -> dict[str, Any]:
        """Return the numbers that a checkpoint holds."""
        return {"episodes": self.episodes, "sampling": self._rng.bit_generator.state}

    def load(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Take what a checkpoint holds."""
        kinds: dict[str, dict[str, Tensor]] = {"network": {}, "adam": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if rest:
                kinds[kind][rest] = tensor
        self._network.load_state_dict(kinds["network"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in kinds["adam"].items():
            index, _, moment = name.partition(".")
            moments.setdefault(int(index), {})[moment] = tensor
        self._adam.load_state_dict({**self._adam.state_dict(), "state": moments})
        self._base, self._shown = tensors[BASE], tensors[SHOWN]
        self._mean, self._std = tensors[MEAN], tensors[STD]
        self.episodes = state["episodes"]
        self._rng.bit_generator.state = state["sampling"]

    def _d(self, vectors: Tensor) -> Tensor:
        standard = ((vectors - self._mean) / self._std).clamp(-FARTHEST, FARTHEST)
        found: Tensor = self._network(standard)[:, 0]
        return found

    def _draw(self, vectors: Tensor) -> Tensor:
        rows = self._rng.integers(len(vectors), size=self.config.batch)
        return vectors[torch.from_numpy(rows)]


def _network(size: int, hidden: tuple[int, ...]) -> nn.Sequential:
    sizes = (size, *hidden)
    layers: list[nn.Module] = []
    for entering, leaving in zip(sizes, hidden, strict=False):
        layers += [nn.Linear(entering, leaving), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 1))


def _tensor(vectors: Vectors) -> Tensor:
    return torch.from_numpy(np.array(vectors, np.float32))
