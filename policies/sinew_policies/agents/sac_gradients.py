"""What one update of SAC and of RLPD costs most: values, losses and their gradients, from tensors alone.

The gradients are written out: torch's own bookkeeping would add a third. Random numbers come in as
arguments and nothing is changed, so that the same functions run as they are or compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sinew_policies.agents.gradients import Activation, Member, back, run
from sinew_policies.agents.hl_gauss import ValueHead
from sinew_policies.agents.networks import TanhGaussian

Shares = Callable[[Tensor], Tensor]  # values (members, b) -> how much of each the actor climbs


@dataclass(frozen=True, slots=True)
class Recipe:
    """What stays the same from update to update."""

    activation: Activation
    log_std: tuple[float, float]
    head: ValueHead
    features: int  # columns of the critics' inputs; the rest is the action
    entropy: bool  # in the critics' target
    shares: Shares
    encoder_learns: bool


class Transitions(NamedTuple):
    """What the critics learn from; rows are b."""

    features: Tensor  # (b, f)
    action: Tensor  # (b, a)
    reward: Tensor  # (b,)
    discount: Tensor  # (b,)
    next_features: Tensor  # (b, f)


class OfCritics(NamedTuple):
    """What comes of a step of the critics, and the gradients to take it by."""

    loss: Tensor  # ()
    target: Tensor  # (b,)
    given: Tensor  # (b,): what the batch's own actions are worth
    critics: list[Member]
    features: Tensor | None  # (b, f)


class Pull(NamedTuple):
    """What the actor's means are pulled towards, besides."""

    action: Tensor  # (b, a)
    rows: Tensor  # (b,) 1 where the row pulls, else 0
    weight: Tensor  # ()
    given: Tensor | None  # (b,): pull only where that is worth more than the actor's own action; None: always


class OfActor(NamedTuple):
    """What comes of a step of the actor, and the gradients to take it by."""

    loss: Tensor  # ()
    log_prob: Tensor  # (b,) of the drawn actions
    values: Tensor  # (members, b) of the drawn actions
    actor: list[Member]


def critic_gradients(
    recipe: Recipe,
    actor: Sequence[Member],
    targets: Sequence[Member],
    critics: Sequence[Member],
    batch: Transitions,
    noise: Tensor,
    alpha: Tensor,
) -> OfCritics:
    """Return the way down the critics' error; `noise` (b, a) draws the next actions.

    The target is the smallest of the targets' values, less alpha log pi where entropy counts.
    """
    statistics = run(batch.next_features, actor, recipe.activation).answers[0]
    sample = TanhGaussian(statistics, recipe.log_std).at(noise)
    nexts = run(torch.cat([batch.next_features, sample.action], -1), targets, recipe.activation)
    value = recipe.head.mean(nexts.answers).amin(0)
    if recipe.entropy:
        value = value - alpha * sample.log_prob
    target = batch.reward + batch.discount * value

    done = run(torch.cat([batch.features, batch.action], -1), critics, recipe.activation)
    loss, of_answers = recipe.head.loss(done.answers, target)
    columns = slice(recipe.features) if recipe.encoder_learns else None
    of_inputs, of_critics = back(done, of_answers, columns=columns)
    of_features = None if of_inputs is None else of_inputs.sum(0)
    return OfCritics(loss, target, recipe.head.mean(done.answers).mean(0), of_critics, of_features)


def actor_gradients(
    recipe: Recipe,
    actor: Sequence[Member],
    critics: Sequence[Member],
    features: Tensor,
    noise: Tensor,
    alpha: Tensor,
    pull: Pull | None,
) -> OfActor:
    """Return the way down alpha log pi - value, and towards what pulls; `noise` (b, a) draws the actions."""
    done = run(features, actor, recipe.activation)
    policy = TanhGaussian(done.answers[0], recipe.log_std)
    sample = policy.at(noise)
    climbed = run(torch.cat([features, sample.action], -1), critics, recipe.activation)
    values = recipe.head.mean(climbed.answers)
    share = recipe.shares(values)
    loss = (alpha * sample.log_prob - (share * values).sum(0)).mean()

    rows = len(features)
    of_answers = recipe.head.mean_back(climbed.answers, -share / rows)
    of_inputs = back(climbed, of_answers, learn=False, columns=slice(recipe.features, None)).inputs
    assert of_inputs is not None
    of_statistics = sample.back(of_inputs.sum(0), alpha / rows)
    if pull is not None:
        of_mean, of_log_std = of_statistics.chunk(2, -1)
        of_statistics = torch.cat([of_mean + pulled_by(pull, policy, values), of_log_std], -1)
    of_actor = back(done, of_statistics[None], columns=None).members
    return OfActor(loss, sample.log_prob, values, of_actor)


def pulled_by(pull: Pull, policy: TanhGaussian, values: Tensor) -> Tensor:
    """Return the gradient of weight times the pulling rows' mean of |tanh(mean) - action|²."""
    mode = policy.mode()
    away = (mode - pull.action) * (1 - mode.square())
    counts = pull.rows if pull.given is None else pull.rows * (pull.given > values.mean(0))
    return 2 * pull.weight * away * counts[:, None] / pull.rows.sum().clamp(min=1)


def smallest(values: Tensor) -> Tensor:
    """Return shares (members, b) of the smallest value of each row."""
    least = (values == values.amin(0)).float()
    return least / least.sum(0)


def mean(values: Tensor) -> Tensor:
    """Return equal shares (members, b)."""
    return torch.full_like(values, 1 / len(values))
