"""Gradients by hand where torch's own cost more in calls and memory traffic than in arithmetic.

What is computed is what torch would compute; the tests compare. There are no second derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
NORM_EPSILON = 1e-5
EVERY = slice(None)


@dataclass(frozen=True, slots=True)
class Member:
    """One member's parameters, or the places for their gradients; gains and shifts where there are norms."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """How the layers of an ensemble are gone through."""

    activation: str  # "relu" or "tanh", after all layers but the last
    layers: int
    members: Sequence[int]  # that answer, in that order
    views: Sequence[Member]  # of all members' parameters
    frozen: bool = False  # gradients go to the inputs only


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one member's way forward leaves behind."""

    inputs: list[Tensor]  # (b, i) of each layer
    norms: list[tuple[Tensor, Tensor, Tensor]]  # what each norm was given, its means and inverse deviations
    answer: Tensor  # (b, o)


@dataclass(frozen=True, slots=True)
class Run:
    """An ensemble's way forward: what is kept of it for its gradients, and the answers."""

    plan: Plan
    chosen: list[Member]
    passes: list[_Pass]
    answers: Tensor  # (members, b, o)


def run(x: Tensor, plan: Plan) -> Run:
    """Go through an ensemble of perceptrons, from x (b, i) or (members, b, i).

    The members take turns: the layers of one stay in the processor's cache, those of a stack do not (ten
    critics of 256 x 256: two thirds of the time).
    """
    chosen = [plan.views[member] for member in plan.members]
    passes = [_forward(x if x.dim() == 2 else x[place], plan, own) for place, own in enumerate(chosen)]
    return Run(plan, chosen, passes, torch.stack([each.answer for each in passes]))


def back(
    done: Run, grad: Tensor, into: Sequence[Member] | None, *, columns: slice | None = EVERY
) -> Tensor | None:
    """Go back from the gradient of the answers; return that of each member's inputs (members, b, columns).

    With columns None it returns None. The parameters' gradients are written into the places of all
    members; None: they are not wanted.
    """
    of_inputs = []
    for place, (kept, own) in enumerate(zip(done.passes, done.chosen, strict=True)):
        written = None if into is None else into[done.plan.members[place]]
        of_first = _backward(grad[place], done.plan, kept, own, written)
        if columns is not None:
            of_inputs.append(torch.mm(of_first, own.weights[0][columns].T))
    return None if columns is None else torch.stack(of_inputs)


class Layers(torch.autograd.Function):
    """The same as one step of torch's own gradients.

    Parameters are all weights (all, i, o), all biases (all, 1, o) and, where each activation follows a
    LayerNorm, all gains and all shifts (all, 1, o).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Plan, *parameters: Tensor) -> Tensor:
        """Return the answers (members, b, o)."""
        ctx.done, ctx.parameters, ctx.shared = run(x, plan), parameters, x.dim() == 2
        answers: Tensor = ctx.done.answers
        return answers

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of what `forward` was given."""
        plan = ctx.done.plan
        places = () if plan.frozen else tuple(torch.zeros_like(each) for each in ctx.parameters)
        into = member_views(places, plan.layers) if places else None
        of_x = back(ctx.done, grad, into, columns=EVERY if ctx.needs_input_grad[0] else None)
        if of_x is not None and ctx.shared:
            of_x = of_x.sum(0)
        return of_x, None, *(places or (None,) * len(ctx.parameters))


def _forward(x: Tensor, plan: Plan, own: Member) -> _Pass:
    inputs, norms = [x], []
    for layer in range(plan.layers - 1):
        x = torch.addmm(own.biases[layer], x, own.weights[layer])
        if own.gains:
            given, gain, shift = x, own.gains[layer], own.shifts[layer]
            x, mean, inverse = torch.native_layer_norm(given, given.shape[-1:], gain, shift, NORM_EPSILON)
            norms.append((given, mean, inverse))
        inputs.append(x.relu_() if plan.activation == "relu" else x.tanh_())
    return _Pass(inputs, norms, torch.addmm(own.biases[-1], inputs[-1], own.weights[-1]))


def _backward(grad: Tensor, plan: Plan, done: _Pass, own: Member, into: Member | None) -> Tensor:
    """Return the gradient of the first layer's product; write the parameters' where there is a place."""
    for layer in reversed(range(plan.layers)):
        if into is not None:
            torch.mm(done.inputs[layer].T, grad, out=into.weights[layer])
            torch.sum(grad, 0, out=into.biases[layer])
        if layer == 0:
            break
        grad = torch.mm(grad, own.weights[layer].T)
        _through_activation(plan.activation, grad, done.inputs[layer])
        if own.gains:
            grad = _through_norm(grad, done.norms[layer - 1], layer - 1, own, into)
    return grad


def _through_activation(activation: str, grad: Tensor, output: Tensor) -> None:
    """Turn the gradient of an activation's output into that of its input, in place."""
    if activation == "relu":
        torch.ops.aten.threshold_backward.grad_input(grad, output, 0, grad_input=grad)
    else:
        torch.ops.aten.tanh_backward.grad_input(grad, output, grad_input=grad)


def _through_norm(
    grad: Tensor, norm: tuple[Tensor, Tensor, Tensor], layer: int, own: Member, into: Member | None
) -> Tensor:
    given, mean, inverse = norm
    learnt = into is not None
    of_given, of_gain, of_shift = torch.ops.aten.native_layer_norm_backward(
        grad,
        given,
        given.shape[-1:],
        mean,
        inverse,
        own.gains[layer],
        own.shifts[layer],
        [True, learnt, learnt],
    )
    if into is not None:
        into.gains[layer].copy_(of_gain)
        into.shifts[layer].copy_(of_shift)
    result: Tensor = of_given
    return result


def log_density(raw: Tensor, noise: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density (b,) of tanh(raw): normal, less log(1 - tanh(raw)²).

    The latter in a form that neither overflows nor cancels; `noise` is (raw - mean) / std.
    """
    stretch = 2 * (math.log(2.0) - raw - functional.softplus(-2 * raw))
    return (-0.5 * noise.square() - log_std - HALF_LOG_TWO_PI - stretch).sum(-1)
