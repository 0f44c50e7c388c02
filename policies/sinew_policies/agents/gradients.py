"""Gradients by hand where torch's own cost more in calls and memory traffic than in arithmetic.

What is computed is what torch would compute; the tests compare. There are no second derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Activation = Literal["relu", "tanh"]
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
NORM_EPSILON = 1e-5
EVERY = slice(None)


class Member(NamedTuple):
    """One member's parameters, or their gradients; gains and shifts where there are norms."""

    weights: tuple[Tensor, ...]  # (i, o)
    biases: tuple[Tensor, ...]  # (o,)
    gains: tuple[Tensor, ...]
    shifts: tuple[Tensor, ...]


def member_views(parameters: Sequence[Tensor], layers: int) -> list[Member]:
    """Return each member's own of stacked parameters (or places for gradients), on the same memory."""
    rest = [each.detach().squeeze(1).unbind() for each in parameters[layers:]]
    of_weights = zip(*(each.detach().unbind() for each in parameters[:layers]), strict=True)
    hidden = layers - 1
    return [
        Member(weights, others[:layers], others[layers : layers + hidden], others[layers + hidden :])
        for weights, others in zip(of_weights, zip(*rest, strict=True), strict=True)
    ]


def write(gradients: Sequence[Member], places: Sequence[Member]) -> None:
    """Copy members' gradients to where an optimiser reads them."""
    given = [tensor for member in gradients for kind in member for tensor in kind]
    torch._foreach_copy_([tensor for member in places for kind in member for tensor in kind], given)


class _Pass(NamedTuple):
    """What one member's way forward leaves behind."""

    inputs: list[Tensor]  # (b, i) of each layer
    norms: list[tuple[Tensor, Tensor, Tensor]]  # what each norm was given, its means and inverse deviations
    answer: Tensor  # (b, o)


class Run(NamedTuple):
    """An ensemble's way forward: what is kept of it for its gradients, and the answers."""

    activation: Activation
    members: Sequence[Member]
    passes: list[_Pass]
    answers: Tensor  # (members, b, o)


class Back(NamedTuple):
    """Gradients of an ensemble's inputs and parameters, where they were wanted."""

    inputs: Tensor | None  # (members, b, columns)
    members: list[Member]


def run(x: Tensor, members: Sequence[Member], activation: Activation) -> Run:
    """Go through an ensemble of perceptrons, from x (b, i) or (members, b, i).

    The members take turns: the layers of one stay in the processor's cache, those of a stack do not (ten
    critics of 256 x 256: two thirds of the time).
    """
    passes = [_forward(x if x.dim() == 2 else x[place], own, activation) for place, own in enumerate(members)]
    return Run(activation, members, passes, torch.stack([each.answer for each in passes]))


def back(done: Run, grad: Tensor, *, learn: bool = True, columns: slice | None = EVERY) -> Back:
    """Go back from the gradient of the answers to those of the members' parameters and inputs.

    With columns None those of the inputs are not wanted; `learn` False: those of the parameters are not.
    """
    of_inputs, of_members = [], []
    for place, (kept, own) in enumerate(zip(done.passes, done.members, strict=True)):
        of_first, of_member = _backward(grad[place], kept, own, done.activation, learn=learn)
        if of_member is not None:
            of_members.append(of_member)
        if columns is not None:
            of_inputs.append(torch.mm(of_first, own.weights[0][columns].T))
    return Back(None if columns is None else torch.stack(of_inputs), of_members)


class Layers(torch.autograd.Function):
    """The same as one step of torch's own gradients.

    Parameters are all weights (all, i, o), all biases (all, 1, o) and, where each activation follows a
    LayerNorm, all gains and all shifts (all, 1, o).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Plan, *parameters: Tensor) -> Tensor:
        """Return the answers (members, b, o)."""
        chosen = [plan.views[member] for member in plan.members]
        ctx.done, ctx.plan, ctx.parameters = run(x, chosen, plan.activation), plan, parameters
        ctx.shared = x.dim() == 2
        answers: Tensor = ctx.done.answers
        return answers

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of what `forward` was given."""
        plan = ctx.plan
        columns = EVERY if ctx.needs_input_grad[0] else None
        of_x, of_members = back(ctx.done, grad, learn=not plan.frozen, columns=columns)
        if of_x is not None and ctx.shared:
            of_x = of_x.sum(0)
        if plan.frozen:
            return of_x, None, *(None,) * len(ctx.parameters)
        places = tuple(torch.zeros_like(each) for each in ctx.parameters)
        views = member_views(places, plan.layers)
        write(of_members, [views[member] for member in plan.members])
        return of_x, None, *places


@dataclass(frozen=True, slots=True)
class Plan:
    """How `Layers` goes through the layers of an ensemble."""

    activation: Activation
    layers: int
    members: Sequence[int]  # that answer, in that order
    views: Sequence[Member]  # of all members' parameters
    frozen: bool = False  # gradients go to the inputs only


def _forward(x: Tensor, own: Member, activation: Activation) -> _Pass:
    inputs, norms = [x], []
    for layer in range(len(own.weights) - 1):
        x = torch.addmm(own.biases[layer], x, own.weights[layer])
        if own.gains:
            given, gain, shift = x, own.gains[layer], own.shifts[layer]
            x, mean, inverse = torch.native_layer_norm(given, given.shape[-1:], gain, shift, NORM_EPSILON)
            norms.append((given, mean, inverse))
        inputs.append(x.relu_() if activation == "relu" else x.tanh_())
    return _Pass(inputs, norms, torch.addmm(own.biases[-1], inputs[-1], own.weights[-1]))


def _backward(
    grad: Tensor, done: _Pass, own: Member, activation: Activation, *, learn: bool
) -> tuple[Tensor, Member | None]:
    """Return the gradient of the first layer's product, and those of the parameters where they are wanted."""
    kinds: tuple[list[Tensor], ...] = ([], [], [], [])  # weights, biases, gains, shifts; the last layer first
    for layer in reversed(range(len(own.weights))):
        if learn:
            kinds[0].append(torch.mm(done.inputs[layer].T, grad))
            kinds[1].append(grad.sum(0))
        if layer == 0:
            break
        grad = torch.mm(grad, own.weights[layer].T)
        grad = _through_activation(activation, grad, done.inputs[layer])
        if own.gains:
            grad, of_gain, of_shift = _through_norm(grad, done.norms[layer - 1], layer - 1, own, learn=learn)
            kinds[2].append(of_gain)
            kinds[3].append(of_shift)
    if not learn:
        return grad, None
    return grad, Member(*(tuple(reversed(kind)) for kind in kinds))


def _through_activation(activation: Activation, grad: Tensor, output: Tensor) -> Tensor:
    """Turn the gradient of an activation's output into that of its input."""
    if activation == "relu":
        return torch.ops.aten.threshold_backward(grad, output, 0)  # type: ignore[no-any-return]
    return torch.ops.aten.tanh_backward(grad, output)  # type: ignore[no-any-return]


def _through_norm(
    grad: Tensor, norm: tuple[Tensor, Tensor, Tensor], layer: int, own: Member, *, learn: bool
) -> tuple[Tensor, Tensor, Tensor]:
    given, mean, inverse = norm
    gradients: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_layer_norm_backward(
        grad,
        given,
        given.shape[-1:],
        mean,
        inverse,
        own.gains[layer],
        own.shifts[layer],
        [True, learn, learn],
    )
    return gradients


def log_density(raw: Tensor, noise: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density (b,) of tanh(raw): normal, less log(1 - tanh(raw)²).

    The latter in a form that neither overflows nor cancels; `noise` is (raw - mean) / std.
    """
    stretch = 2 * (math.log(2.0) - raw - functional.softplus(-2 * raw))
    return (-0.5 * noise.square() - log_std - HALF_LOG_TWO_PI - stretch).sum(-1)
