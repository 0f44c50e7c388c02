"""Soft actor-critic with automatic temperature (Haarnoja et al. 2018, "SAC algorithms and applications").

One update is four steps: critics, actor, temperature, target networks. Time limits bootstrap and the
discount comes with the batch, so neither appears here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

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
from sinew_policies.agents.compiling import compiled
from sinew_policies.agents.gradients import write
from sinew_policies.agents.gripper_critic import GripperCritic
from sinew_policies.agents.hl_gauss import make_head
from sinew_policies.agents.networks import EnsembleMlp, GaussianActor, TanhGaussian, make_polyak
from sinew_policies.agents.optimizer import check_finite, make_adam
from sinew_policies.agents.sac_config import Config
from sinew_policies.agents.sac_gradients import (
    Pull,
    Recipe,
    Transitions,
    actor_gradients,
    critic_gradients,
    smallest,
)
from sinew_policies.agents.state import Saved, State


class Sac(Saved):
    """Learns from single transitions; acts one step at a time."""

    horizon = 1
    _shares = staticmethod(smallest)  # of the critics, that the actor climbs

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        if config.gripper is not None:
            config.gripper.check(spaces)
        self.spaces, self.encoder = spaces, encoder
        self._config = config
        self._continuous = spaces.action - (config.gripper is not None)  # action entries of the actor
        self._target_entropy = (
            -float(self._continuous) if config.target_entropy is None else config.target_entropy
        )
        first_weights, self._learning, self._acting = make_generators(seed, 3)
        self._make_networks(first_weights)
        self.log_alpha = nn.Parameter(torch.tensor(math.log(config.alpha)), config.automatic_alpha)
        self._make_optimizers()
        self._make_gradients()
        self._updates = torch.zeros((), dtype=torch.int64)
        self._state, self._policy = self._make_states()

    def update(self, batch: TensorBatch) -> dict[str, float]:
        """Take one step of each kind; metrics every `metrics_every` updates."""
        check_batch(batch, self.spaces)
        with torch.no_grad():
            features, metrics = self._critic_step(batch)
            self._move_targets()
            return self._report(metrics | self._actor_step(features, batch, metrics["data_value"]))

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return actions (b, 1, a): the policy's mode, or a sample of it."""
        with torch.no_grad():
            features = self.encoder(observation)
            policy: TanhGaussian = self.actor(features)
            action = policy.mode() if greedy else self._drawn(policy)
            if self.gripper is not None:
                command = self.gripper.command(features, greedy=greedy, generator=self._acting)
                action = torch.cat([action, command], -1)
        return action[:, None]

    def _drawn(self, policy: TanhGaussian) -> Tensor:
        action, share = policy.sample(self._acting).action, self._config.wander
        if share == 0:
            return action
        anywhere = 2 * torch.rand(action.shape, generator=self._acting) - 1
        return torch.where(torch.rand(len(action), 1, generator=self._acting) < share, anywhere, action)

    def _critic_step(self, batch: TensorBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Improve critics, gripper critic and encoder; return the features (b, f), detached."""
        with torch.set_grad_enabled(self._encoder_learns):
            attached = self._encode(batch.observation)
        features, next_features = attached.detach(), self._encode(batch.next_observation)
        action = batch.action[:, : self._continuous]
        noise = torch.randn(action.shape, generator=self._learning)
        of = self._critic_gradients(
            self._recipe,
            self.actor.network.chosen(),
            self.target.chosen(self._valuing()),
            self.critic.chosen(),
            Transitions(features, action, batch.reward, batch.discount, next_features),
            noise,
            self.log_alpha.exp(),
        )
        check_finite(of.loss, "critic_loss")
        write(of.critics, self._critic_places)
        metrics = {"critic_loss": of.loss, "target_value": of.target, "data_value": of.given}
        if of.features is not None or self.gripper is not None:
            metrics |= self._gripper_and_encoder(attached, of.features, next_features, batch)
        self._critic_optimizer.step()
        return features, metrics

    def _gripper_and_encoder(
        self, features: Tensor, of_features: Tensor | None, next_features: Tensor, batch: TensorBatch
    ) -> dict[str, Tensor]:
        """Write the gradients of the gripper's critic, and of the encoder by all critics."""
        metrics, pairs = {}, [] if of_features is None else [(features, of_features)]
        if self.gripper is not None:
            command = batch.action[:, -1]
            with torch.enable_grad():
                loss = self.gripper.loss(
                    features, next_features, batch.observation, command, batch.reward, batch.discount
                )
            check_finite(loss, "gripper_loss")
            metrics["gripper_loss"] = loss
            pairs.append((loss, torch.ones_like(loss)))
        outputs, of_outputs = zip(*pairs, strict=True)
        gradients = torch.autograd.grad(outputs, self._beside_critics, of_outputs)
        for parameter, gradient in zip(self._beside_critics, gradients, strict=True):
            self._critic_optimizer.gradient(parameter).copy_(gradient)
        return metrics

    def _valuing(self) -> list[int] | None:
        """Return which target critics value the next state; None: all."""
        return None

    def _actor_step(self, features: Tensor, batch: TensorBatch, given: Tensor) -> dict[str, Tensor]:
        """Improve the actor by alpha log pi - value, and the temperature by -alpha (log pi + target)."""
        alpha = self.log_alpha.exp()
        noise = torch.randn((len(features), self._continuous), generator=self._learning)
        actor, critics, pull = self.actor.network.chosen(), self.critic.chosen(), self._pull(batch, given)
        of = self._actor_gradients(self._recipe, actor, critics, features, noise, alpha, pull)
        check_finite(of.loss, "actor_loss")
        write(of.actor, self._actor_places)
        if self._config.automatic_alpha:
            wanting = of.log_prob.mean() + self._target_entropy
            self._actor_optimizer.gradient(self.log_alpha).copy_(-alpha * wanting)
        self._actor_optimizer.step()
        return {"actor_loss": of.loss, "alpha": alpha, "entropy": -of.log_prob, "value": of.values}

    def _pull(self, batch: TensorBatch, given: Tensor) -> Pull | None:
        """Return what the actor is pulled towards besides; nothing in SAC.

        `given` (b,) is what the batch's actions are worth.
        """
        del batch, given
        return None

    def _encode(self, observation: Observations) -> Tensor:
        features: Tensor = self.encoder(self.encoder.augment(observation, self._learning))
        return features

    def _report(self, metrics: Mapping[str, Tensor]) -> dict[str, float]:
        self._updates += 1
        if int(self._updates) % self._config.metrics_every:
            return {}
        return {name: float(value.detach().mean()) for name, value in metrics.items()}

    def _make_networks(self, generator: torch.Generator) -> None:
        config, features = self._config, self.encoder.features
        self.actor = GaussianActor(
            features,
            config.hidden,
            self._continuous,
            generator,
            activation=config.activation,
            log_std_range=config.log_std,
        )
        self._head = make_head(config.hl_gauss)
        sizes = (features + self._continuous, *config.hidden, self._head.outputs)
        self.critic, self.target = (
            EnsembleMlp(
                config.critics, sizes, generator, activation=config.activation, layer_norm=config.layer_norm
            )
            for _ in range(2)
        )
        self.target.load_state_dict(self.critic.state_dict())
        self.target.requires_grad_(False)
        self.gripper: GripperCritic | None = None
        if config.gripper is not None:
            self.gripper = GripperCritic(
                config.gripper,
                features,
                config.hidden,
                generator,
                activation=config.activation,
                layer_norm=config.layer_norm,
            )

    def _make_optimizers(self) -> None:
        self._beside_critics = _trainable(list(self.encoder.parameters()))
        self._encoder_learns = len(self._beside_critics) > 0
        averaged: dict[nn.Module, nn.Module] = {self.target: self.critic}
        if self.gripper is not None:
            self._beside_critics += self.gripper.network.parameters()
            averaged[self.gripper.target] = self.gripper.network
        rate = self._config.learning_rate
        self._critic_optimizer = make_adam([*self._beside_critics, *self.critic.parameters()], rate)
        self._actor_optimizer = make_adam(_trainable([*self.actor.parameters(), self.log_alpha]), rate)
        self._critic_places = self.critic.places(self._critic_optimizer)
        self._actor_places = self.actor.network.places(self._actor_optimizer)
        self._move_targets = make_polyak(averaged, self._config.tau)

    def _make_gradients(self) -> None:
        config = self._config
        self._recipe = Recipe(
            activation=config.activation,
            log_std=config.log_std,
            head=self._head,
            features=self.encoder.features,
            entropy=config.backup_entropy,
            shares=self._shares,
            encoder_learns=self._encoder_learns,
        )
        self._critic_gradients = compiled(critic_gradients, wanted=config.compiled)
        self._actor_gradients = compiled(actor_gradients, wanted=config.compiled)

    def _make_states(self) -> tuple[State, State]:
        """Return everything, and what acting needs."""
        acting: dict[str, nn.Module] = {"encoder": self.encoder, "actor": self.actor}
        learning = acting | {"critic": self.critic, "target": self.target}
        if self.gripper is not None:
            acting["gripper"] = self.gripper.network
            learning |= {"gripper": self.gripper}
        everything = State(
            learning,
            {"critic_adam": self._critic_optimizer, "actor_adam": self._actor_optimizer},
            {"learning_generator": self._learning, "acting_generator": self._acting},
            self._plain_tensors(),
        )
        return everything, State(acting)

    def _plain_tensors(self) -> dict[str, Tensor]:
        """Return what else an exact resume needs."""
        return {"log_alpha": self.log_alpha, "updates": self._updates}


def _trainable(parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    return [parameter for parameter in parameters if parameter.requires_grad]
