"""Implicit Q-learning: a policy from recorded transitions alone (Kostrikov et al. 2021, IQL).

A value network takes a high expectile of the critics over the actions in the data, so that no action
outside of it is ever valued; the actor clones the data's actions, weighted by how much they are better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sinew_policies.agents.agent import (
    Encoder,
    Observations,
    Spaces,
    TensorBatch,
    check_batch,
    make_generators,
)
from sinew_policies.agents.gradients import HALF_LOG_TWO_PI, Activation
from sinew_policies.agents.networks import EnsembleMlp, Mlp, make_polyak
from sinew_policies.agents.state import Saved, State, descend, make_adam


@dataclass(frozen=True, slots=True)
class Config:
    """Defaults are the paper's for locomotion; expectile 0.9 and beta 10 suit sparse rewards."""

    hidden: tuple[int, ...] = (256, 256)  # of all networks
    activation: Activation = "relu"
    layer_norm: bool = False  # in critics and value
    expectile: float = 0.7  # 0.5 is the mean of the data's actions, towards 1 their best
    beta: float = 3.0  # inverse temperature of the actor's weights
    weight_limit: float = 100.0  # of the actor's weights
    learning_rate: float = 3e-4
    actor_updates: int | None = None  # over which the actor's rate falls to 0 as a cosine; None: it stays
    tau: float = 0.005
    log_std: tuple[float, float] = (-5.0, 2.0)  # range of the actor's, which no state changes
    metrics_every: int = 50  # updates

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.hidden or min(self.hidden) < 1 or self.metrics_every < 1:
            raise ValueError("expected hidden layers of at least 1 unit and metrics_every >= 1.")
        if not 0 < self.expectile < 1 or self.beta < 0 or self.weight_limit <= 0:
            raise ValueError(
                f"expected 0 < expectile < 1, beta >= 0 and weight_limit > 0, got {self.expectile}, "
                f"{self.beta} and {self.weight_limit}."
            )
        if not 0 < self.tau <= 1 or self.learning_rate <= 0:
            raise ValueError(
                f"expected 0 < tau <= 1 and learning_rate > 0, got {self.tau} and {self.learning_rate}."
            )
        if self.actor_updates is not None and self.actor_updates < 1:
            raise ValueError(f"actor_updates: expected at least 1 or none, got {self.actor_updates}.")


class Iql(Saved):
    """Learns from single transitions, recorded or its own; acts one step at a time."""

    horizon = 1

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        self.spaces, self.encoder = spaces, encoder
        self._config = config
        first_weights, self._learning, self._acting = make_generators(seed, 3)
        self._make_networks(first_weights)
        self._make_optimizers()
        self._updates = torch.zeros((), dtype=torch.int64)
        acting: dict[str, nn.Module] = {"encoder": encoder, "actor": self.actor}
        self._policy = State(acting)
        self._state = State(
            {**acting, "critic": self.critic, "target": self.target, "value": self.value},
            {
                "critic_adam": self._critic_optimizer,
                "value_adam": self._value_optimizer,
                "actor_adam": self._actor_optimizer,
            },
            {"learning_generator": self._learning, "acting_generator": self._acting},
            {"updates": self._updates},
        )

    def update(self, batch: TensorBatch) -> dict[str, float]:
        """Take one step of each kind, in the published order: value, actor, critics, target critics."""
        check_batch(batch, self.spaces)
        features = self._encode(batch.observation)
        inputs = torch.cat([features, batch.action], -1)
        with torch.no_grad():
            data_value = self.target(inputs).squeeze(-1).amin(0)  # (b,)
        metrics = self._value_step(features.detach(), data_value)
        metrics |= self._actor_step(features.detach(), batch.action, data_value)
        metrics |= self._critic_step(inputs, batch)
        self._move_target()
        return self._report(metrics)

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return actions (b, 1, a): the policy's mean, or a sample about it."""
        with torch.no_grad():
            mean, log_std = self.actor(self.encoder(observation))
            noise = torch.randn(mean.shape, generator=self._acting) if not greedy else torch.zeros(())
            action: Tensor = mean + log_std.exp() * noise
        return action.clamp(-1, 1)[:, None]

    def _value_step(self, features: Tensor, data_value: Tensor) -> dict[str, Tensor]:
        value = self.value(features).squeeze(-1)
        loss = expectile_loss(data_value - value, self._config.expectile)
        descend(loss, self._value_optimizer, "value_loss")
        return {"value_loss": loss, "value": value}

    def _actor_step(self, features: Tensor, action: Tensor, data_value: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            advantage = data_value - self.value(features).squeeze(-1)
            weight = torch.exp(self._config.beta * advantage).clamp(max=self._config.weight_limit)
        mean, log_std = self.actor(features)
        loss = -(weight * _log_prob(mean, log_std, action)).mean()
        self._actor_optimizer.set_learning_rate(self._actor_rate())
        descend(loss, self._actor_optimizer, "actor_loss")
        return {"actor_loss": loss, "advantage": advantage}

    def _critic_step(self, inputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            next_value = self.value(self._encode(batch.next_observation)).squeeze(-1)
            target = batch.reward + batch.discount * next_value
        loss = (self.critic(inputs).squeeze(-1) - target).square().sum() / len(target)
        descend(loss, self._critic_optimizer, "critic_loss")
        return {"critic_loss": loss, "target_value": target}

    def _actor_rate(self) -> float:
        if self._config.actor_updates is None:
            return self._config.learning_rate
        done = min(int(self._updates) / self._config.actor_updates, 1.0)
        return self._config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def _encode(self, observation: Observations) -> Tensor:
        features: Tensor = self.encoder(self.encoder.augment(observation, self._learning))
        return features

    def _report(self, metrics: Mapping[str, Tensor]) -> dict[str, float]:
        self._updates += 1
        if int(self._updates) % self._config.metrics_every:
            return {}
        return {name: float(value.detach().mean()) for name, value in metrics.items()}

    def _make_networks(self, generator: torch.Generator) -> None:
        config, features, action = self._config, self.encoder.features, self.spaces.action
        self.actor = IqlActor(config, features, action, generator)
        self.critic, self.target = (
            EnsembleMlp(
                2,
                (features + action, *config.hidden, 1),
                generator,
                activation=config.activation,
                layer_norm=config.layer_norm,
            )
            for _ in range(2)
        )
        self.target.load_state_dict(self.critic.state_dict())
        self.target.requires_grad_(False)
        self.value = Mlp(
            (features, *config.hidden, 1),
            generator,
            activation=config.activation,
            layer_norm=config.layer_norm,
        )

    def _make_optimizers(self) -> None:
        rate = self._config.learning_rate
        learnt = [*self.encoder.parameters(), *self.critic.parameters()]
        self._critic_optimizer = make_adam([each for each in learnt if each.requires_grad], rate)
        self._value_optimizer = make_adam(self.value.parameters(), rate)
        self._actor_optimizer = make_adam(self.actor.parameters(), rate)
        self._move_target = make_polyak({self.target: self.critic}, self._config.tau)


class IqlActor(nn.Module):
    """Features (b, f) -> means (b, a) in (-1, 1), and a log std (a,) that no state changes."""

    def __init__(self, config: Config, features: int, action: int, generator: torch.Generator) -> None:
        super().__init__()
        self.network = Mlp((features, *config.hidden, action), generator, activation=config.activation)
        self.log_std = nn.Parameter(torch.zeros(action))
        self._range = config.log_std

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log std."""
        return torch.tanh(self.network(features)), self.log_std.clamp(*self._range)


def expectile_loss(above: Tensor, expectile: float) -> Tensor:
    """Return the mean of |expectile - 1(u < 0)| u² over differences u = sample - estimate (b,)."""
    return (torch.where(above < 0, 1 - expectile, expectile) * above.square()).mean()


def _log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Return the logarithm of the normal density (b,)."""
    scaled = (action - mean) * torch.exp(-log_std)
    return (-0.5 * scaled.square() - log_std - HALF_LOG_TWO_PI).sum(-1)
