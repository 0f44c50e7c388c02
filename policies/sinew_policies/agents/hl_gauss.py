"""How a critic says a value: as one number, or as a histogram over a fixed range (HL-Gauss).

Farebrother et al. 2024, "Stop Regressing": the target is a normal distribution about the number,
integrated over each bin; the loss is the cross-entropy, the value the histogram's mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class ValueHead(Protocol):
    """What stands between a critic's outputs and values."""

    outputs: int  # of the network, per value

    def mean(self, raw: Tensor) -> Tensor:
        """Return the values (...) that outputs (..., outputs) stand for."""

    def mean_back(self, raw: Tensor, of_mean: Tensor) -> Tensor:
        """Return the gradient of the outputs, from that of their values (...)."""

    def loss(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss, a mean over rows summed over members, and its gradient by the outputs.

        Outputs are (members, b, outputs), the target is (b,).
        """


class ScalarHead:
    """The output is the value; the loss is the squared error."""

    outputs = 1

    def mean(self, raw: Tensor) -> Tensor:
        """Return the values (...) of outputs (..., 1)."""
        return raw.squeeze(-1)

    def mean_back(self, raw: Tensor, of_mean: Tensor) -> Tensor:
        """Return the gradient of the outputs."""
        del raw
        return of_mean.unsqueeze(-1)

    def loss(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean squared error, summed over members, and its gradient."""
        error = raw - target[:, None]
        return error.square().sum() / len(target), error * (2 / len(target))


@dataclass(frozen=True, slots=True)
class HlGauss:
    """A histogram's range, from the bounds of reward and discount with some 10 % to spare, and its bins."""

    v_min: float
    v_max: float
    bins: int = 101
    sigma: float = 0.75  # of the target, in bins: the mass then lies over about six

    def __post_init__(self) -> None:
        """Check the range."""
        if not self.v_min < self.v_max or self.bins < 2 or self.sigma <= 0:
            raise ValueError(
                f"hl_gauss: expected v_min < v_max, bins >= 2 and sigma > 0, got {self.v_min}, {self.v_max}, "
                f"{self.bins} and {self.sigma}."
            )


class HlGaussHead:
    """The outputs are a histogram's logits; values outside its range are learnt as its ends."""

    def __init__(self, config: HlGauss) -> None:
        self.outputs = config.bins
        self._edges = torch.linspace(config.v_min, config.v_max, config.bins + 1)  # (bins + 1,)
        self._centres = (self._edges[1:] + self._edges[:-1]) / 2  # (bins,)
        width = (config.v_max - config.v_min) / config.bins
        self._scale = 1 / (math.sqrt(2) * config.sigma * width)

    def histogram(self, target: Tensor) -> Tensor:
        """Return the target's probabilities (b, bins), for values (b,)."""
        inside = target.clamp(float(self._centres[0]), float(self._centres[-1]))
        below = torch.erf((self._edges - inside[:, None]) * self._scale)  # twice the mass below, less one
        mass = below.diff(dim=-1)
        return mass / (below[:, -1:] - below[:, :1])

    def mean(self, raw: Tensor) -> Tensor:
        """Return the histograms' means (...) of logits (..., bins)."""
        return raw.softmax(-1) @ self._centres

    def mean_back(self, raw: Tensor, of_mean: Tensor) -> Tensor:
        """Return the gradient of the logits: d mean = p (centre - mean)."""
        chances = raw.softmax(-1)
        away = self._centres - (chances @ self._centres)[..., None]
        return of_mean[..., None] * chances * away

    def loss(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean cross-entropy, summed over members, and its gradient."""
        wanted, said = self.histogram(target), functional.log_softmax(raw, -1)
        return -(wanted * said).sum() / len(target), (said.exp() - wanted) / len(target)


def make_head(config: HlGauss | None) -> ValueHead:
    """Return the head of a histogram where one is configured, else that of a number."""
    return ScalarHead() if config is None else HlGaussHead(config)
