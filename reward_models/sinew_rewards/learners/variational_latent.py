"""An operator's latent: a Gaussian posterior from a set of comparisons, in whatever order, and its KL."""

from __future__ import annotations

import torch
from torch import Tensor

from sinew_rewards.learned.network import Ensemble

LOG_PRECISION = 4.0  # bound of what one comparison may add, so that none decides alone


def posterior(encoder: Ensemble, means: Tensor, labels: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log-variance (..., z) of the latent given comparisons.

    `means` (..., n, 2, d) are clips' mean standardised features, `labels` (..., n) the probability that the
    first is better, and `seen` (..., n) is 1 for comparisons that count, 0 for the others. Each comparison
    is a Gaussian factor and the prior N(0, I) another one; their product does not depend on the order
    (Rakelly et al. 2019, PEARL, eq. 1) and grows narrow with the number of comparisons. The encoder reads a
    pair both ways round, weighted by its label: to swap its clips changes nothing, and a tie is in between.
    """
    first, second = means[..., 0, :], means[..., 1, :]
    forward, backward = (encoder(torch.cat(pair, -1))[0] for pair in ((first, second), (second, first)))
    share = labels[..., None]
    told = share * forward + (1 - share) * backward
    place, log_precision = told.chunk(2, -1)
    precision = torch.exp(LOG_PRECISION * torch.tanh(log_precision / LOG_PRECISION)) * seen[..., None]
    total = 1 + precision.sum(-2)
    return (place * precision).sum(-2) / total, -torch.log(total)


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)) over the last axis: 1/2 sum(mean² + variance - 1 - log)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def drawn(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Return a draw of the posterior that gradients pass through."""
    noise = torch.randn(mean.shape, generator=generator)
    return mean + torch.exp(log_variance / 2) * noise


def values_of(decoder: Ensemble, rows: Tensor, latent: Tensor) -> Tensor:
    """Return rewards (members, ..., k) of rows (..., k, d) for latents (..., z)."""
    spread = latent[..., None, :].expand(*rows.shape[:-1], latent.shape[-1])
    rewards: Tensor = decoder(torch.cat([rows, spread], -1))[..., 0]
    return rewards
