"""Networks that the agents share: perceptrons, ensembles as one batched computation, a squashed Gaussian."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

Activation = Literal["relu", "tanh"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh}
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
EDGE = 1 - 1e-6  # an action at the very edge has no finite preimage under tanh


class EnsembleMlp(nn.Module):
    """`members` perceptrons of one shape: (b, sizes[0]) or (members, b, sizes[0]) -> (members, b, sizes[-1]).

    Each layer is one batched product. After all layers but the last comes the activation, with
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
        self.members = members
        self._activation = ACTIVATIONS[activation]
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(
            _uniform((members, given, out), given, generator) for given, out in shapes
        )
        self.biases = nn.ParameterList(_uniform((members, 1, out), given, generator) for given, out in shapes)
        hidden = sizes[1:-1] if layer_norm else ()
        self.gains = nn.ParameterList(nn.Parameter(torch.ones(members, 1, size)) for size in hidden)
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, size)) for size in hidden)

    def forward(self, inputs: Tensor, *, members: Tensor | None = None, frozen: bool = False) -> Tensor:
        """Return the answers (members, b, sizes[-1]), of all or of the `members` with those indices.

        `frozen` keeps gradients from the weights: they go to the inputs only.
        """
        weights, biases, gains, shifts = (
            [_of(members, parameter.detach() if frozen else parameter) for parameter in parameters]
            for parameters in (self.weights, self.biases, self.gains, self.shifts)
        )
        x = inputs if inputs.dim() == 3 else inputs.expand(len(weights[0]), *inputs.shape)
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer == len(weights) - 1:
                break
            if gains:
                x = functional.layer_norm(x, x.shape[-1:]) * gains[layer] + shifts[layer]
            x = self._activation(x)
        return x


class Mlp(nn.Module):
    """One perceptron: (..., sizes[0]) -> (..., sizes[-1]); activation, LayerNorm and start as EnsembleMlp."""

    def __init__(
        self,
        sizes: Sequence[int],
        generator: Generator,
        *,
        activation: Activation = "relu",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self._activation = ACTIVATIONS[activation]
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(_uniform((out, given), given, generator) for given, out in shapes)
        self.biases = nn.ParameterList(_uniform((out,), given, generator) for given, out in shapes)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for size in (sizes[1:-1] if layer_norm else ()))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the answer (..., sizes[-1])."""
        x = inputs
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = functional.linear(x, weight, bias)
            if layer == last:
                break
            if len(self.norms) > 0:
                x = self.norms[layer](x)
            x = self._activation(x)
        return x


@dataclass(frozen=True, slots=True)
class TanhGaussian:
    """Normal distributions squashed into (-1, 1) by tanh; one a row, independent in each dimension."""

    mean: Tensor  # (b, a), before the squashing
    log_std: Tensor  # (b, a)

    def mode(self) -> Tensor:
        """Return the squashed mean (b, a)."""
        return torch.tanh(self.mean)

    def sample(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return actions (b, a) and the logarithms of their densities (b,); both carry gradients.

        `noise` (b, a) is standard normal, from the agent's own generator.
        """
        raw = self.mean + self.log_std.exp() * noise
        return torch.tanh(raw), self._density(raw, noise)

    def log_prob(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density (b,) at actions (b, a) in [-1, 1]."""
        raw = torch.atanh(action.clamp(-EDGE, EDGE))
        return self._density(raw, (raw - self.mean) * torch.exp(-self.log_std))

    def _density(self, raw: Tensor, noise: Tensor) -> Tensor:
        """Normal density less log(1 - tanh(raw)²), in a form that neither overflows nor cancels."""
        stretch = 2 * (math.log(2.0) - raw - functional.softplus(-2 * raw))
        return (-0.5 * noise.square() - self.log_std - HALF_LOG_TWO_PI - stretch).sum(-1)


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
        mean, log_std = self.network(features).chunk(2, dim=-1)
        return TanhGaussian(mean, log_std.clamp(*self._range))


def make_polyak(networks: Mapping[nn.Module, nn.Module], tau: float) -> Callable[[], None]:
    """Return what moves target networks by `tau` of the way; `networks` maps each target to its network."""
    targets = [parameter for target in networks for parameter in target.parameters()]
    sources = [parameter for network in networks.values() for parameter in network.parameters()]
    average: Callable[..., None] = get_ema_multi_avg_fn(1 - tau)  # type: ignore[no-untyped-call]
    return lambda: average(targets, sources, None)


def _uniform(shape: tuple[int, ...], inputs: int, generator: Generator) -> nn.Parameter:
    bound = 1 / math.sqrt(inputs)
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))


def _of(members: Tensor | None, stacked: Tensor) -> Tensor:
    return stacked if members is None else stacked[members]
