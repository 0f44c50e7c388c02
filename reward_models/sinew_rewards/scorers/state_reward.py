"""The scorer that inverse RL leaves: a bounded reward of the state alone, by an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from sinew_core.types import FloatArray
from torch import Tensor

from sinew_rewards.learned.network import Ensemble, ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score


def state_reward(network: Ensemble, features: Tensor, bound: float) -> Tensor:
    """Return the reward g (members, ...) in (-bound, bound) of features (..., d): the first output."""
    return bound * torch.tanh(network(features)[..., 0])


def steepness(values: Tensor, features: Tensor, std: Tensor) -> Tensor:
    """Return the norms (n,) of the gradients of values (members, n) by features (n, d), in 1 / `std`.

    Each row is looked at through one member, in turn, which is all that a penalty needs. They can be
    differentiated further.
    """
    rows = torch.arange(len(features))
    (slopes,) = torch.autograd.grad(values[rows % len(values), rows].sum(), features, create_graph=True)
    norms: Tensor = (slopes * std).norm(dim=-1)
    return norms


class StateReward:
    """Value: the mean over members, within the bound; uncertainty: their spread. Nothing is remembered.

    The spread is taken before the bound, which it therefore may exceed: far from all that was seen every
    member is at the bound, and would seem to agree.
    """

    def __init__(self, network: Ensemble, bound: float) -> None:
        self._network, self._bound = network, bound

    def reset(self) -> None:
        """Nothing to forget."""

    @torch.inference_mode()
    def score(self, features: FloatArray) -> Score:
        """Score a step of features (d,)."""
        free = self._network(torch.as_tensor(features, dtype=torch.float32))[..., 0]  # (members)
        value = self._bound * torch.tanh(free).mean()
        return Score(float(value), uncertainty=self._bound * float(free.std(correction=0)))

    def settings(self) -> Mapping[str, Any]:
        """Return the bound."""
        return {"bound": self._bound}

    def arrays(self) -> Arrays:
        """Return the ensemble's weights."""
        return self._network.arrays()

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these weights; ValueError or KeyError where something is missing."""
        return cls(ensemble_of(arrays), float(settings["bound"]))
