"""Behaviour cloning: a network that answers with the demonstrator's mean action (Pomerleau 1989, ALVINN).

One squared or Huber loss, no distribution: where demonstrators differ it answers with the middle, for
which `diffusion` is the remedy; where it leaves their paths nothing calls it back, for which `dagger` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
from sinew_policies.agents.networks import Mlp
from sinew_policies.agents.sequences import check_sequences, valid_mean
from sinew_policies.agents.state import Saved, State, descend, make_adam


@dataclass(frozen=True, slots=True)
class Config:
    """The network and how it learns."""

    hidden: tuple[int, ...] = (256, 256)
    layer_norm: bool = True
    horizon: int = 1  # actions per answer
    loss: Literal["huber", "mse"] = "huber"
    corner: float = 0.1  # error at which the Huber loss turns from a square into a line
    learning_rate: float = 1e-3
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.horizon < 1 or any(size < 1 for size in self.hidden):
            raise AgentError(
                f"cloning: expected horizon {self.horizon} and hidden {self.hidden} of 1 and more"
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and self.corner > 0):
            raise AgentError(
                f"cloning: expected learning_rate {self.learning_rate} > 0, weight_decay {self.weight_decay} "
                f">= 0, corner {self.corner} > 0"
            )


class Actor(nn.Module):
    """Observation -> chunk of actions (b, horizon, a) in (-1, 1)."""

    def __init__(self, config: Config, action: int, encoder: Encoder, generator: torch.Generator) -> None:
        super().__init__()
        sizes = (encoder.features, *config.hidden, config.horizon * action)
        self.encoder = encoder
        self.head = Mlp(sizes, generator, layer_norm=config.layer_norm)
        self._chunk = (config.horizon, action)

    def forward(self, observation: Observations) -> Tensor:
        """Return the chunks (b, horizon, a)."""
        mean: Tensor = torch.tanh(self.head(self.encoder(observation)))
        return mean.view(len(mean), *self._chunk)


class Cloning(Saved):
    """Learns from sequences of `horizon` actions; acts without chance."""

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        first, self._generator = make_generators(seed, 2)
        self.horizon = self.sequence = config.horizon
        self._config, self._spaces = config, spaces
        self._actor = Actor(config, spaces.action, encoder, first)
        self._optimizer = make_adam(self._actor.parameters(), config.learning_rate, config.weight_decay)
        self._policy = State({"actor": self._actor})
        self._state = State(
            {"actor": self._actor}, {"optimizer": self._optimizer}, {"generator": self._generator}
        )

    def update(self, batch: TensorSequences) -> dict[str, float]:
        """Take one gradient step; returns the loss."""
        check_sequences(batch, self._spaces, self.horizon)
        loss = self._loss(self._actor.encoder.augment(batch.observation, self._generator), batch)
        descend(loss, self._optimizer)
        return {"loss": loss.item()}

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return the mean actions (b, horizon, a), whether greedy or not."""
        del greedy
        with torch.no_grad():
            chunk: Tensor = self._actor(observation)
        return chunk

    def _loss(self, observation: Observations, batch: TensorSequences) -> Tensor:
        mean = self._actor(observation)
        if self._config.loss == "mse":
            errors = functional.mse_loss(mean, batch.actions, reduction="none")
        else:
            errors = functional.smooth_l1_loss(
                mean, batch.actions, reduction="none", beta=self._config.corner
            )
        return valid_mean(errors.mean(-1), batch.valid)
