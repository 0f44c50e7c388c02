"""The arithmetic of denoising: the cosine schedule, noise added, and the way back in a few steps.

alpha_bar[t] is the share of the signal's variance that is left after t + 1 of T noising steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

OFFSET = 0.008  # keeps the first steps from being too small
MOST = 0.999  # of the variance that one step may replace


def cosine_schedule(steps: int) -> Tensor:
    """Return alpha_bar (steps,), falling (Nichol and Dhariwal 2021, eq. 17)."""

    def signal(time: float) -> float:
        return math.cos((time + OFFSET) / (1 + OFFSET) * math.pi / 2) ** 2

    replaced = [1 - signal((t + 1) / steps) / signal(t / steps) for t in range(steps)]
    kept = 1 - torch.tensor(replaced, dtype=torch.float64).clamp_max(MOST)
    return torch.cumprod(kept, 0).float()


def add_noise(clean: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return clean (b, h, a) with alpha_bar (b,) of it left under the noise (Ho et al. 2020, eq. 4)."""
    share = alpha_bar[:, None, None]
    return share.sqrt() * clean + (1 - share).sqrt() * noise


def denoise(predict: Callable[[Tensor, int], Tensor], start: Tensor, alpha_bar: Tensor, steps: int) -> Tensor:
    """Return what is left of noise `start` (b, h, a) after `steps` steps, in [-1, 1].

    Song et al. 2021, DDIM, eq. 12 with sigma 0: no chance but that of the start. `predict` answers the
    noise in (noisy, t). The clean chunk that each step believes in is clipped, as actions are.
    """
    times = torch.linspace(len(alpha_bar) - 1, 0, steps).round().long().tolist()
    shares = [float(alpha_bar[time]) for time in times]
    x = start
    for time, share, following in zip(times, shares, [*shares[1:], 1.0], strict=True):
        clean = (x - math.sqrt(1 - share) * predict(x, time)) / math.sqrt(share)
        clean = clean.clamp(-1.0, 1.0)
        noise = (x - math.sqrt(share) * clean) / math.sqrt(1 - share)
        x = math.sqrt(following) * clean + math.sqrt(1 - following) * noise
    return x
