"""Networks that the agents share: perceptrons, ensembles of them, a squashed Gaussian."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sinew_policies.agents.gradients import (
    Layers,
    Member,
    Plan,
    SquashedSample,
    log_density,
    member_views,
)

Activation = Literal["relu", "tanh"]
EDGE = 1 - 1e-6  # an action at the very edge has no finite preimage under tanh


class EnsembleMlp(nn.Module):
    """`members` perceptrons of one shape: (b, sizes[0]) or (members, b, sizes[0]) -> (members, b, sizes[-1]).

    The whole is one step for torch's gradients. After all layers but the last comes the activation, with
    `layer_norm` preceded by a LayerNorm of each member's own. Weights and biases start uniform within
    1 / sqrt(inputs of the layer), drawn from `generator`.
    """

    def __init__(
        self,
        members: int,
        sizes: Sequence[int],
        generator: Generator,
        *,
        activation: Activation = "relu",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.members, self._activation = members, activation
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(
            _uniform((members, given, out), given, generator) for given, out in shapes
        )
        self.biases = nn.ParameterList(_uniform((members, 1, out), given, generator) for given, out in shapes)
        hidden = sizes[1:-1] if layer_norm else ()
        self.gains = nn.ParameterList(nn.Parameter(torch.ones(members, 1, size)) for size in hidden)
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, size)) for size in hidden)
        self._layers = len(shapes)
        self._ordered = [*self.weights, *self.biases, *self.gains, *self.shifts]
        self._views: tuple[int, list[Member]] | None = None

    def forward(
        self, inputs: Tensor, *, members: Sequence[int] | None = None, frozen: bool = False
    ) -> Tensor:
        """Return the answers (members, b, sizes[-1]), of all or of the `members` with those indices.

        `frozen` keeps gradients from the weights: they go to the inputs only.
        """
        plan = Plan(
            self._activation, self._layers, members or range(self.members), self._members_views(), frozen
        )
        answers: Tensor = Layers.apply(inputs, plan, *self._ordered)  # type: ignore[no-untyped-call]
        return answers

    def _members_views(self) -> list[Member]:
        """Return views of the parameters, made anew where an optimiser has moved those together."""
        place = self._ordered[0].data_ptr()
        if self._views is None or self._views[0] != place:
            self._views = (place, member_views(self._ordered, self._layers))
        return self._views[1]


class Mlp(EnsembleMlp):
    """One perceptron: (..., sizes[0]) -> (..., sizes[-1]); an ensemble of one member."""

    def __init__(
        self,
        sizes: Sequence[int],
        generator: Generator,
        *,
        activation: Activation = "relu",
        layer_norm: bool = False,
    ) -> None:
        super().__init__(1, sizes, generator, activation=activation, layer_norm=layer_norm)

    def forward(
        self, inputs: Tensor, *, members: Sequence[int] | None = None, frozen: bool = False
    ) -> Tensor:
        """Return the answer (..., sizes[-1])."""
        flat = inputs.reshape(-1, inputs.shape[-1])
        return super().forward(flat, members=members, frozen=frozen).view(*inputs.shape[:-1], -1)


@dataclass(frozen=True, slots=True)
class TanhGaussian:
    """Normal distributions squashed into (-1, 1) by tanh; one a row, independent in each dimension."""

    statistics: Tensor  # (b, 2 a): the means before the squashing, then the logarithms of the deviations
    log_std_range: tuple[float, float] = (-20.0, 2.0)  # to which the latter are clamped

    @property
    def mean(self) -> Tensor:
        """Return the means (b, a) before the squashing."""
        return self.statistics.chunk(2, -1)[0]

    @property
    def log_std(self) -> Tensor:
        """Return the logarithms of the standard deviations (b, a)."""
        return self.statistics.chunk(2, -1)[1].clamp(*self.log_std_range)

    def mode(self) -> Tensor:
        """Return the squashed mean (b, a)."""
        return torch.tanh(self.mean)

    def sample(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return actions (b, a) and the logarithms of their densities (b,); both carry gradients."""
        rows, width = self.statistics.shape
        noise = torch.randn(rows, width // 2, generator=generator, dtype=self.statistics.dtype)
        sampled = SquashedSample.apply(self.statistics, noise, *self.log_std_range)  # type: ignore[no-untyped-call]
        action, log_prob = sampled
        return action, log_prob

    def log_prob(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density (b,) at actions (b, a) in [-1, 1]."""
        raw, log_std = torch.atanh(action.clamp(-EDGE, EDGE)), self.log_std
        return log_density(raw, (raw - self.mean) * torch.exp(-log_std), log_std)


class GaussianActor(nn.Module):
    """Features (b, f) -> a TanhGaussian over actions (b, a), its log std clamped to `log_std_range`."""

    def __init__(
        self,
        features: int,
        hidden: Sequence[int],
        action: int,
        generator: Generator,
        *,
        activation: Activation = "relu",
        layer_norm: bool = False,
        log_std_range: tuple[float, float] = (-20.0, 2.0),
    ) -> None:
        super().__init__()
        sizes = (features, *hidden, 2 * action)
        self.network = Mlp(sizes, generator, activation=activation, layer_norm=layer_norm)
        self._range = log_std_range

    def forward(self, features: Tensor) -> TanhGaussian:
        """Return the distribution of actions for each row."""
        return TanhGaussian(self.network(features), self._range)


def make_polyak(networks: Mapping[nn.Module, nn.Module], tau: float) -> Callable[[], None]:
    """Return what moves target networks by `tau` of the way; `networks` maps each target to its network."""
    targets = [parameter for target in networks for parameter in target.parameters()]
    sources = [parameter for network in networks.values() for parameter in network.parameters()]
    average: Callable[..., None] = get_ema_multi_avg_fn(1 - tau)  # type: ignore[no-untyped-call]
    return lambda: average(targets, sources, None)


def _uniform(shape: tuple[int, ...], inputs: int, generator: Generator) -> nn.Parameter:
    bound = 1 / math.sqrt(inputs)
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))
