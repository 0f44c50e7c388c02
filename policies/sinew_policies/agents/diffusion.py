"""Diffusion policy: chunks of actions drawn by denoising, so that several ways of acting stay apart.

Chi et al. 2023. Learns to predict the noise in noised chunks (DDPM, Ho et al. 2020), draws in a few
deterministic steps (DDIM, Song et al. 2021), acts with a moving average of its weights. The denoiser is a
residual perceptron, as in IDQL (Hansen-Estruch et al. 2023), conditioned by FiLM as the paper's U-Net is:
short chunks of few joints need no convolution over time, and any horizon will do.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sinew_policies.agents.agent import (
    AgentError,
    Encoder,
    Observations,
    Spaces,
    TensorSequences,
    make_generators,
)
from sinew_policies.agents.denoising import add_noise, cosine_schedule, denoise
from sinew_policies.agents.seeding import seeded
from sinew_policies.agents.sequences import check_sequences, valid_mean
from sinew_policies.agents.state import Saved, State, descend, make_adam

TIMES = 64  # length of the embedding of the noising step


@dataclass(frozen=True, slots=True)
class Config:
    """The denoiser and how it learns and draws."""

    horizon: int = 16  # actions that are predicted
    executed: int = 8  # of them, the first that are answered (the paper's action horizon)
    width: int = 256
    blocks: int = 3
    steps: int = 100  # of noising
    draws: int = 10  # steps of denoising
    average: float = 0.9999  # most that is kept of the averaged weights at an update
    learning_rate: float = 3e-4
    weight_decay: float = 1e-6

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not (1 <= self.executed <= self.horizon and 1 <= self.draws <= self.steps):
            raise AgentError(
                f"diffusion: expected 1 <= executed {self.executed} <= horizon {self.horizon} and "
                f"1 <= draws {self.draws} <= steps {self.steps}"
            )
        if not (self.width >= 1 and self.blocks >= 1 and 0 <= self.average < 1):
            raise AgentError(
                f"diffusion: expected width {self.width} and blocks {self.blocks} of 1 and more, and "
                f"0 <= average {self.average} < 1"
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0):
            raise AgentError(
                f"diffusion: expected learning_rate {self.learning_rate} > 0, weight_decay "
                f"{self.weight_decay} >= 0"
            )


class Block(nn.Module):
    """A residual layer: norm, scaled and shifted by the condition (FiLM), widen twice, narrow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.film = nn.Linear(width, 2 * width)
        self.wide = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return (b, width) from x and condition, each (b, width)."""
        scale, shift = self.film(condition).chunk(2, -1)
        out: Tensor = x + self.narrow(functional.mish(self.wide(self.norm(x) * (1 + scale) + shift)))
        return out


class Denoiser(nn.Module):
    """Predicts the noise in a noisy chunk, given the step of noising and the observation's features.

    What is proportional to the noisy chunk goes straight to the answer, by a factor that the condition
    sets: the layers learn what is left. Without it ways that differ run together far longer in training.
    """

    frequencies: Tensor  # (TIMES / 2,)

    def __init__(self, config: Config, action: int, features: int) -> None:
        super().__init__()
        flat, width = config.horizon * action, config.width
        self.condition = nn.Sequential(
            nn.Linear(TIMES + features, width), nn.Mish(), nn.Linear(width, width), nn.Mish()
        )
        self.enter = nn.Linear(flat, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, flat)
        self.straight = nn.Linear(width, flat)
        waves = torch.exp(torch.linspace(0.0, -math.log(10_000.0), TIMES // 2))
        self.register_buffer("frequencies", waves, persistent=False)

    def forward(self, noisy: Tensor, time: Tensor, features: Tensor) -> Tensor:
        """Return the noise (b, h, a) in noisy (b, h, a) at times (b,) for features (b, f)."""
        phase = time[:, None] * self.frequencies
        condition = self.condition(torch.cat([phase.sin(), phase.cos(), features], -1))
        chunk = noisy.flatten(1)
        x = self.enter(chunk)
        for block in self.blocks:
            x = block(x, condition)
        noise: Tensor = self.leave(self.norm(x)) + self.straight(condition) * chunk
        return noise.view_as(noisy)


class Network(nn.Module):
    """Encoder and denoiser, and the noise that a greedy answer starts from."""

    start: Tensor  # (horizon, a)

    def __init__(self, config: Config, action: int, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.denoiser = Denoiser(config, action, encoder.features)
        self.register_buffer("start", torch.randn(config.horizon, action))


class Diffusion(Saved):
    """Learns from sequences of `config.horizon` actions; answers with the first `executed` of a drawn chunk.

    A greedy answer starts from the same noise always: the same observation gives the same chunk.
    """

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        first, self._learning, self._acting = make_generators(seed, 3)
        self.horizon, self.sequence = config.executed, config.horizon
        self._config, self._spaces = config, spaces
        self._alpha_bar = cosine_schedule(config.steps)
        with seeded(first):
            self._network = Network(config, spaces.action, encoder)
        self._average = copy.deepcopy(self._network).requires_grad_(False)
        self._optimizer = make_adam(self._network.parameters(), config.learning_rate, config.weight_decay)
        self._updates = torch.zeros((), dtype=torch.int64)
        self._policy = State({"average": self._average})
        self._state = State(
            {"network": self._network, "average": self._average},
            {"optimizer": self._optimizer},
            {"learning": self._learning, "acting": self._acting},
            {"updates": self._updates},
        )

    def update(self, batch: TensorSequences) -> dict[str, float]:
        """Take one gradient step and move the averaged weights; returns the loss."""
        check_sequences(batch, self._spaces, self.sequence)
        loss = self._loss(batch)
        descend(loss, self._optimizer)
        self._updates += 1
        self._follow()
        return {"loss": loss.item()}

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return the first actions (b, executed, a) of a chunk denoised by the averaged weights."""
        network = self._average
        with torch.no_grad():
            features = network.encoder(observation)
            shape = (len(features), *network.start.shape)
            start = network.start.expand(shape) if greedy else torch.randn(shape, generator=self._acting)

            def predict(noisy: Tensor, time: int) -> Tensor:
                times = torch.full((len(noisy),), time)
                noise: Tensor = network.denoiser(noisy, times, features)
                return noise

            chunk = denoise(predict, start, self._alpha_bar, self._config.draws)
        return chunk[:, : self.horizon]

    def _loss(self, batch: TensorSequences) -> Tensor:
        """Return the squared error of the predicted noise, at one random step a row (Ho et al., eq. 14)."""
        rows = len(batch.actions)
        observation = self._network.encoder.augment(batch.observation, self._learning)
        times = torch.randint(self._config.steps, (rows,), generator=self._learning)
        noise = torch.randn(batch.actions.shape, generator=self._learning)
        noisy = add_noise(batch.actions, noise, self._alpha_bar[times])
        predicted = self._network.denoiser(noisy, times, self._network.encoder(observation))
        return valid_mean((predicted - noise).square().mean(-1), batch.valid)

    def _follow(self) -> None:
        """Move the average toward the weights, the slower the more updates there were (Chi et al., EMA)."""
        keep = min(self._config.average, 1 - (1 + int(self._updates)) ** -0.75)
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.parameters()), list(self._network.parameters()), 1 - keep)
