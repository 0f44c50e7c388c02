"""An ensemble of small networks on features, computed as one: every layer is one batched product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from sinew_core.types import FloatArray
from torch import Tensor, nn
from torch.nn import functional

from sinew_rewards.learned.scoring import Arrays

LEAST_SPREAD = 1e-3  # of a feature that never changes


class Ensemble(nn.Module):
    """Members that differ by their first weights: features (..., d) to values (members, ..., outputs).

    Features are standardised first, and clipped at ten standard deviations: what is far outside anything
    seen must not drive a reward. With `bound`, outputs lie in (-bound, bound) by tanh.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        size: int,
        hidden: Sequence[int] = (64, 64),
        members: int = 3,
        outputs: int = 1,
        bound: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.members, self.bound = members, bound
        generator = torch.Generator().manual_seed(seed)
        sizes = (size, *hidden, outputs)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for entering, leaving in pairwise(sizes):
            spread = 1 / math.sqrt(entering)
            weight = torch.rand((members, entering, leaving), generator=generator) * 2 - 1
            self.weights.append(nn.Parameter(spread * weight))
            self.biases.append(nn.Parameter(torch.zeros((members, 1, leaving))))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))

    def look(self, features: FloatArray) -> None:
        """Take the mean and spread of features (n, d)."""
        values = torch.as_tensor(np.asarray(features), dtype=torch.float32)
        self.mean = values.mean(0)
        self.std = values.std(0, correction=0).clamp_min(LEAST_SPREAD)

    def forward(self, features: Tensor) -> Tensor:
        """Return (members, ..., outputs) of features (..., d), the same for all members."""
        shape = features.shape[:-1]
        x = ((features - self.mean) / self.std).clamp(-10, 10).reshape(1, -1, features.shape[-1])
        x = x.expand(self.members, -1, -1)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if i < last:
                x = functional.silu(x)
        x = x.reshape(self.members, *shape, -1)
        return self.bound * torch.tanh(x) if self.bound else x

    @torch.inference_mode()
    def of(self, features: FloatArray) -> FloatArray:
        """Return the values (members, ..., outputs) of features (..., d) as numpy."""
        found: Tensor = self(torch.as_tensor(np.asarray(features), dtype=torch.float32))
        return np.asarray(found.numpy(), np.float64)

    def arrays(self) -> Arrays:
        """Return weights and statistics by name."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.state_dict().items()}

    def load(self, arrays: Arrays) -> Ensemble:
        """Take weights and statistics, and return itself; ValueError where they are of another shape."""
        try:
            self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
        except RuntimeError as error:
            raise ValueError(f"the weights do not fit the network: {error}") from error
        return self


def ensemble_of(arrays: Arrays, bound: float = 0.0) -> Ensemble:
    """Return the ensemble whose `arrays()` these are; its sizes are theirs. ValueError as above."""
    weights = [arrays[f"weights.{i}"] for i in range(sum(name.startswith("weights.") for name in arrays))]
    if not weights:
        raise ValueError("there are no weights in the file.")
    members, size, _ = weights[0].shape
    hidden = [weight.shape[1] for weight in weights[1:]]
    return Ensemble(size, hidden, members, weights[-1].shape[2], bound).load(arrays)
