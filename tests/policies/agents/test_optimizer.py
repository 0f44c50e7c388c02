"""The flat Adam is torch's."""

from __future__ import annotations

import math

import pytest
import torch
from sinew_policies.agents.agent import AgentError
from sinew_policies.agents.optimizer import FlatAdam
from torch import nn


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_those_of_torch(decay: float) -> None:
    generator = torch.Generator().manual_seed(0)
    values = [torch.randn(shape, generator=generator) for shape in ((3, 4), (4,), (2, 1, 3))]
    ours, theirs = ([nn.Parameter(value.clone()) for value in values] for _ in range(2))
    flat, reference = FlatAdam(ours, 1e-2, decay), torch.optim.AdamW(theirs, lr=1e-2, weight_decay=decay)
    for _ in range(20):
        flat.descend(sum((each.square() * each.sin()).sum() for each in ours) + torch.zeros(()), "loss")
        reference.zero_grad()
        loss = sum((each.square() * each.sin()).sum() for each in theirs) + torch.zeros(())
        loss.backward()  # type: ignore[no-untyped-call]
        reference.step()
    torch.testing.assert_close(ours, theirs)


def test_parameters_keep_their_values_and_shapes() -> None:
    parameter = nn.Parameter(torch.arange(6.0).reshape(2, 3))
    FlatAdam([nn.Parameter(torch.ones(2)), parameter], 1e-3, 0.0)
    assert parameter.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_loss_that_is_not_finite_moves_nothing() -> None:
    parameter = nn.Parameter(torch.ones(2))
    with pytest.raises(AgentError, match="actor_loss is inf"):
        FlatAdam([parameter], 1e-3, 0.0).descend((parameter * math.inf).sum(), "actor_loss")
    assert parameter.tolist() == [1, 1]
