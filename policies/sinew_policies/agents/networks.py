"""Networks that the agents share: perceptrons, ensembles of them, a squashed Gaussian."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sinew_policies.agents.gradients import Activation, Layers, Member, Plan, log_density, member_views
from sinew_policies.agents.optimizer import FlatAdam

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
        plan = self._plan(members, frozen)
        answers: Tensor = Layers.apply(inputs, plan, *self._ordered)  # type: ignore[no-untyped-call]
        return answers

    def chosen(self, members: Sequence[int] | None = None) -> list[Member]:
        """Return views of the parameters of all, or of the `members` with those indices, for `run`."""
        views = self._members_views()
        return views if members is None else [views[member] for member in members]

    def places(self, optimizer: FlatAdam) -> list[Member]:
        """Return where `back` is to write the gradients for that optimiser."""
        return member_views([optimizer.gradient(each) for each in self._ordered], self._layers)

    def _plan(self, members: Sequence[int] | None, frozen: bool) -> Plan:
        every = range(self.members)
        return Plan(self._activation, self._layers, members or every, self._members_views(), frozen)

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
class Sample:
    """Actions drawn from squashed normal distributions, and how to go back from them."""

    action: Tensor  # (b, a)
    log_prob: Tensor  # (b,), the logarithm of the density
    spread: Tensor  # (b, a): standard deviation times noise
    free: Tensor  # (b, a) bool: the deviation was not clamped

    def back(self, of_action: Tensor, of_log_prob: float | Tensor) -> Tensor:
        """Return the gradient of the statistics (b, 2 a), from those of action (b, a) and of each log_prob.

        With u = mean + std noise: d tanh(u) = 1 - tanh(u)², d log_prob = 2 tanh(u), and -1 by the log std.
        """
        of_raw = of_action * (1 - self.action.square()) + (2 * of_log_prob) * self.action
        return torch.cat([of_raw, (of_raw * self.spread - of_log_prob) * self.free], -1)


@dataclass(frozen=True, slots=True)
class TanhGaussian:
    """Normal distributions squashed into (-1, 1) by tanh; one a row, independent in each dimension."""

    statistics: Tensor  # (b, 2 a): the means before the squashing, then the logarithms of the deviations
    log_std_range: tuple[float, float] = (-20.0, 2.0)  # to which the latter are clamped

    def mode(self) -> Tensor:
        """Return the squashed mean (b, a)."""
        return torch.tanh(self.statistics.chunk(2, -1)[0])

    def sample(self, generator: Generator) -> Sample:
        """Return an action of each."""
        shape = self.statistics.chunk(2, -1)[0].shape
        return self.at(torch.randn(shape, generator=generator, dtype=self.statistics.dtype))

    def at(self, noise: Tensor) -> Sample:
        """Return the actions that are so many standard deviations (b, a) from the means."""
        mean, unclamped = self.statistics.chunk(2, -1)
        log_std = unclamped.clamp(*self.log_std_range)
        spread = log_std.exp() * noise
        raw = mean + spread
        return Sample(torch.tanh(raw), log_density(raw, noise, log_std), spread, log_std == unclamped)

    def log_prob(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density (b,) at actions (b, a) in [-1, 1]."""
        mean, log_std = self.statistics.chunk(2, -1)
        log_std = log_std.clamp(*self.log_std_range)
        raw = torch.atanh(action.clamp(-EDGE, EDGE))
        return log_density(raw, (raw - mean) * torch.exp(-log_std), log_std)


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
