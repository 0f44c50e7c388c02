"""What agents that learn from sequences of actions share: protocol, check, a mean without padding."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from sinew_policies.agents.agent import Agent, AgentError, Spaces, TensorSequences


@runtime_checkable
class SequenceAgent(Agent[TensorSequences], Protocol):
    """An agent that learns from sequences of actions; its `isinstance` tells it from those that do not."""

    sequence: int  # actions in each sequence that it learns from; no fewer than it answers with


def check_sequences(batch: TensorSequences, spaces: Spaces, horizon: int) -> None:
    """Raise AgentError where the batch is of other columns or shapes than an agent learns from."""
    rows = len(batch.actions)
    for name, shape in spaces.observation.items():
        if name not in batch.observation:
            there = ", ".join(sorted(batch.observation)) or "none"
            raise AgentError(f"sequences: observation has no column '{name}'; it has {there}")
        _check(f"observation '{name}'", batch.observation[name], (rows, *shape))
    _check("actions", batch.actions, (rows, horizon, spaces.action))
    _check("valid", batch.valid, (rows, horizon))


def valid_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of values (b, h) where valid (b, h), 0 where nothing is."""
    return (values * valid).sum() / valid.sum().clamp_min(1)


def _check(what: str, given: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(given.shape) != expected:
        raise AgentError(f"sequences: {what} has shape {tuple(given.shape)}, expected {expected}")
