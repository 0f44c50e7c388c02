"""Adam over parameters that lie in one piece: a step is one call, however many layers there are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from sinew_policies.agents.agent import AgentError


class FlatAdam:
    """Adam (Kingma and Ba 2015), with decoupled decay where there is one (Loshchilov and Hutter 2019).

    The parameters become views of one flat tensor, in their order, and keep their values. The moments
    exist before the first step, so that an optimiser that never stepped can be saved and loaded into.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> None:
        self._parameters = list(parameters)
        self._flat = torch.cat([each.detach().reshape(-1) for each in self._parameters])
        pieces = torch.split(self._flat, [each.numel() for each in self._parameters])
        for parameter, piece in zip(self._parameters, pieces, strict=True):
            parameter.data = piece.view(parameter.shape)
        self._gradient = torch.zeros_like(self._flat)
        pieces = torch.split(self._gradient, [each.numel() for each in self._parameters])
        self._gradients = {
            parameter: piece.view(parameter.shape)
            for parameter, piece in zip(self._parameters, pieces, strict=True)
        }
        self._rate, self._decay = learning_rate, weight_decay
        self._steps = torch.zeros(())
        self._first, self._second = torch.zeros_like(self._flat), torch.zeros_like(self._flat)

    def descend(self, loss: Tensor, name: str) -> None:
        """Take one step down the loss in these parameters, and touch no other gradient.

        Raises AgentError where the loss is not finite, before anything has changed.
        """
        check_finite(loss, name)
        gradients = torch.autograd.grad(loss, self._parameters)
        torch.cat([each.reshape(-1) for each in gradients], out=self._gradient)
        self.step()

    def gradient(self, parameter: nn.Parameter) -> Tensor:
        """Return where `step` reads the gradient of one of these parameters, in its shape."""
        return self._gradients[parameter]

    def step(self) -> None:
        """Take one step against the gradients."""
        adam(
            [self._flat],
            [self._gradient],
            [self._first],
            [self._second],
            [],
            [self._steps],
            fused=True,
            decoupled_weight_decay=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self._rate,
            weight_decay=self._decay,
            eps=1e-8,
            maximize=False,
        )

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of the steps to come."""
        self._rate = rate

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the count of steps and the moments, live."""
        yield from (("step", self._steps), ("exp_avg", self._first), ("exp_avg_sq", self._second))


def check_finite(loss: Tensor, name: str) -> None:
    """Raise AgentError where the loss is not finite."""
    if not math.isfinite(loss.item()):
        raise AgentError(f"{name} is {loss.item()}: the batch or the weights hold values that are not finite")


def make_adam(
    parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float = 0.0
) -> FlatAdam:
    """Return an optimiser of those parameters; what views them must be made after this."""
    return FlatAdam(parameters, learning_rate, weight_decay)


def descend(loss: Tensor, optimizer: FlatAdam, name: str = "loss") -> None:
    """Take one step down the loss."""
    optimizer.descend(loss, name)
