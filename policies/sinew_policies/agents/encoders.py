"""Observation encoders: from a batch of observations to one vector of features each.

An agent takes one `Encoder`, learns through it where it has parameters, and ships it with its policy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sinew_policies.agents.agent import AgentError, Encoder, Observations
from sinew_policies.agents.seeding import seeded

FARTHEST = 5.0  # standard deviations: what hardly varied in training is no reason to act wildly
KERNEL, STRIDE = 3, 2  # of every convolution


class Vector(Encoder):
    """One column of numbers, standardised: (x - mean) / std, at most 5 to either side. Nothing is learnt.

    In updates each number is off by normal noise of `noise` standard deviations, drawn anew each time. A
    network that sees few transitions many times would learn them by heart; noise on what it is given is
    a penalty on its slopes (Bishop 1995, "Training with noise is equivalent to Tikhonov regularization";
    for values, Sinha et al. 2021, S4RL).
    """

    mean: Tensor  # (d,)
    std: Tensor  # (d,)

    def __init__(self, column: str, mean: Tensor, std: Tensor, *, noise: float = 0.0) -> None:
        super().__init__()
        if noise < 0:
            raise AgentError(f"column '{column}': expected noise of at least 0, got {noise}.")
        if mean.ndim != 1 or mean.shape != std.shape:
            raise AgentError(
                f"column '{column}': mean {tuple(mean.shape)} and std {tuple(std.shape)} are not (d,) alike."
            )
        if not bool(torch.isfinite(mean).all() and torch.isfinite(std).all() and (std > 0).all()):
            raise AgentError(
                f"column '{column}': expected a finite mean and a positive std, got {mean.tolist()} and "
                f"{std.tolist()}; an entry that never varies needs some std, too."
            )
        self.column, self.features, self.noise = column, len(mean), noise
        self.register_buffer("mean", mean.detach().clone().float())
        self.register_buffer("std", std.detach().clone().float())

    def forward(self, observation: Observations) -> Tensor:
        """Return the standardised column, (b, d)."""
        values = _column(observation, self.column, (self.features,), torch.float32)
        return ((values - self.mean) / self.std).clamp(-FARTHEST, FARTHEST)

    def augment(self, observation: Observations, generator: torch.Generator) -> Observations:
        """Return the observation with the noise in this column."""
        if self.noise == 0:
            return observation
        values = _column(observation, self.column, (self.features,), torch.float32)
        off = torch.randn(values.shape, generator=generator).mul_(self.std).mul_(self.noise)
        return {**observation, self.column: off.add_(values)}


class Convolutional(Encoder):
    """A trainable encoder of one camera: convolutions of stride 2, a linear layer, layer norm, tanh.

    Head, first weights and random shifts are those of Yarats et al. 2021, DrQ-v2. There only the first
    layer halves the image; here each does, which is what makes 128 x 128 affordable without a GPU.
    """

    def __init__(
        self,
        column: str,
        shape: Sequence[int],
        seed: int,
        *,
        features: int = 64,
        channels: Sequence[int] = (32, 32, 32, 32),
        shift: int = 4,  # px
    ) -> None:
        super().__init__()
        least = 2 ** (len(channels) + 1) - 1  # pixels of which the last layer leaves one
        if len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < least:
            raise AgentError(
                f"column '{column}': {len(channels)} layers want images (h, w, 3) of at least {least} x "
                f"{least}, got {tuple(shape)}."
            )
        if shift < 0 or features < 1 or not channels or min(channels) < 1:
            raise AgentError(
                f"column '{column}': expected shift >= 0 and positive features and channels, got "
                f"{shift}, {features} and {tuple(channels)}."
            )
        self.column, self.shape, self.features, self.shift = column, tuple(shape), features, shift
        with seeded(seed):
            self.convolutions = nn.Sequential(*_halvings(channels))
            self.head = nn.Linear(_flat(shape, channels), features)
            self.norm = nn.LayerNorm(features)
            _first_weights(self)

    def forward(self, observation: Observations) -> Tensor:
        """Return features in (-1, 1), (b, features)."""
        images = _column(observation, self.column, self.shape, torch.uint8)
        x = images.permute(0, 3, 1, 2).float() / 255.0 - 0.5
        return torch.tanh(self.norm(self.head(self.convolutions(x).flatten(1))))

    def augment(self, observation: Observations, generator: torch.Generator) -> Observations:
        """Return the observation with this camera's images shifted at random."""
        images = _column(observation, self.column, self.shape, torch.uint8)
        return {**observation, self.column: random_shift(images, self.shift, generator)}


class Concatenate(Encoder):
    """Several encoders of the same observation, their features one after the other."""

    def __init__(self, parts: Sequence[Encoder]) -> None:
        super().__init__()
        if not parts:
            raise AgentError("Concatenate: expected at least one encoder, got none.")
        self.parts = nn.ModuleList(parts)
        self.features = sum(part.features for part in parts)

    def forward(self, observation: Observations) -> Tensor:
        """Return (b, features) in the order of the parts."""
        return torch.cat([part(observation) for part in self.parts], dim=-1)

    def augment(self, observation: Observations, generator: torch.Generator) -> Observations:
        """Return the observation as all parts, one after the other, change it."""
        for part in self.parts:
            assert isinstance(part, Encoder)
            observation = part.augment(observation, generator)
        return observation


def random_shift(images: Tensor, pad: int, generator: torch.Generator) -> Tensor:
    """Return images (b, h, w, c) of the same type, each moved by up to `pad` pixels along either axis.

    The border repeats into what comes free: the same as to pad with the border and crop at random
    (Kostrikov et al. 2020, DrQ).
    """
    count, height, width = images.shape[:3]
    moves = torch.randint(-pad, pad + 1, (2, count, 1), generator=generator)
    rows = (torch.arange(height) + moves[0]).clamp(0, height - 1)  # (b, h)
    columns = (torch.arange(width) + moves[1]).clamp(0, width - 1)  # (b, w)
    return images[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _halvings(channels: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for given, out in zip((3, *channels[:-1]), channels, strict=True):
        layers += [nn.Conv2d(given, out, KERNEL, STRIDE), nn.ReLU()]
    return layers


def _first_weights(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            gain = math.sqrt(2.0) if isinstance(layer, nn.Conv2d) else 1.0
            nn.init.orthogonal_(layer.weight, gain)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def _flat(shape: Sequence[int], channels: Sequence[int]) -> int:
    """Return how many numbers the convolutions make of an image."""
    height, width = shape[:2]
    for _ in channels:
        height, width = (height - KERNEL) // STRIDE + 1, (width - KERNEL) // STRIDE + 1
    return height * width * channels[-1]


def _column(observation: Observations, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    if name not in observation:
        raise AgentError(
            f"no column '{name}' in the observation; there are {', '.join(sorted(observation))}."
        )
    values = observation[name]
    if tuple(values.shape[1:]) != shape or values.ndim != len(shape) + 1 or values.dtype != dtype:
        wanted = ", ".join(["b", *map(str, shape)])
        raise AgentError(
            f"column '{name}': expected ({wanted}) {dtype}, got {tuple(values.shape)} {values.dtype}."
        )
    return values
