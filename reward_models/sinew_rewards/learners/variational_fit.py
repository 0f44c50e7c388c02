"""The descent of variational preference learning: encoder and decoder together, then one operator alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learners.operators import OperatorPairs, clip_means
from sinew_rewards.learners.preference_pairs import Pairs, spread_looks
from sinew_rewards.learners.variational_latent import drawn, kl_to_prior, posterior, values_of


@dataclass(frozen=True, slots=True)
class Config:
    """The networks, the latent and the descent."""

    latent: int = 4  # numbers that say who somebody is
    hidden: tuple[int, ...] = (32, 32)  # of the decoder
    encoder: tuple[int, ...] = (32,)
    members: int = 2  # decoders; their disagreement is part of the uncertainty
    sharpness: float = 10.0  # log-odds of a clip whose mean reward is higher by 1
    kl: float = 1.0  # weight of the KL divergence once it is annealed
    anneal: float = 0.5  # share of the updates over which that weight rises from 0
    sets: int = 8  # sets of comparisons in an update, each of one operator
    size: int = 12  # comparisons in a set
    rows: int = 8  # of a clip that one update looks at
    updates: int = 300
    refinements: int = 100  # updates of one operator's latent, the networks being fixed
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        """Check the ranges."""
        counts = (self.latent, self.members, self.sets, self.size, self.rows, self.updates)
        if min(*counts, *self.hidden, *self.encoder) < 1 or self.refinements < 0:
            raise ValueError("latent, hidden, encoder, members, sets, size, rows, updates: at least 1.")
        if min(self.sharpness, self.learning_rate) <= 0 or min(self.kl, self.weight_decay) < 0:
            raise ValueError("expected sharpness and learning_rate above 0, kl and weight_decay at least 0.")
        if not 0 <= self.anneal <= 1:
            raise ValueError(f"anneal: expected a share from 0 to 1, got {self.anneal}.")


@dataclass(frozen=True, slots=True)
class Networks:
    """Who said it, and what it is worth to them."""

    encoder: Ensemble  # two clips' standardised means (2 d) to the place and log-precision of z (2 z)
    decoder: Ensemble  # features and z (d + z) to a reward in (-1, 1), members
    unit: float  # rows of the clips that were learnt from, on average: a sum over as many is worth 1

    @property
    def latent(self) -> int:
        """How many numbers the latent has."""
        return int(self.encoder.weights[-1].shape[2]) // 2

    def standardised(self, rows: Tensor) -> Tensor:
        """Return rows (..., d) as the decoder standardises them."""
        size = rows.shape[-1]
        found: Tensor = ((rows - self.decoder.mean[:size]) / self.decoder.std[:size]).clamp(-10, 10)
        return found

    def read(self, pairs: Pairs, most: int) -> Tensor:
        """Return what the encoder reads of pairs (n, 2, d)."""
        return clip_means(pairs, self.standardised(pairs.rows), most)


def fit_networks(told: OperatorPairs, config: Config, seed: int) -> Networks:
    """Return encoder and decoder that explain each operator's comparisons (the ELBO of Poddar et al. 2024).

    An update draws sets of comparisons, each of one operator, everyone equally often however many
    comparisons they made. The encoder sees a part of a set of any size, the decoder must explain the
    whole set: so a few comparisons are enough later on.
    """
    networks = _networks(told.pairs, config, seed)
    means = networks.read(told.pairs, config.rows)
    parameters = [*networks.encoder.parameters(), *networks.decoder.parameters()]
    adam = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    generator = torch.Generator().manual_seed(seed)
    for update in range(config.updates):
        weight = config.kl * min(1.0, update / max(1.0, config.anneal * config.updates))
        chosen = _sets(told, config, generator)
        loss = _negative_elbo(networks, told.pairs, means, chosen, weight, config, generator)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        for group in adam.param_groups:
            group["lr"] = config.learning_rate * (1 - update / config.updates)
    return networks


def fit_latent(networks: Networks, pairs: Pairs, config: Config, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (z) of one operator's latent; the networks stay as they are.

    The encoder's answer, then moved to where the same lower bound is best for these very comparisons.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        labels, seen = pairs.labels, torch.ones(len(pairs))
        start = posterior(networks.encoder, networks.read(pairs, config.rows), labels, seen)
    mean, log_variance = (torch.nn.Parameter(each.clone()) for each in start)
    adam = torch.optim.Adam([mean, log_variance], lr=0.05)
    for _ in range(config.refinements):
        chosen = torch.randint(len(pairs), (1, min(4 * config.size, len(pairs))), generator=generator)
        latent = drawn(mean.expand(1, -1), log_variance, generator)
        loss = _losses(networks, pairs, chosen, latent, config, generator).mean() * len(pairs)
        loss = loss + config.kl * kl_to_prior(mean, log_variance)
        mean.grad, log_variance.grad = torch.autograd.grad(loss, [mean, log_variance])
        adam.step()
    return mean.detach(), torch.exp(log_variance.detach() / 2)


def _networks(pairs: Pairs, config: Config, seed: int) -> Networks:
    size = pairs.rows.shape[1]
    encoder = Ensemble(2 * size, config.encoder, 1, 2 * config.latent, seed=seed)
    decoder = Ensemble(size + config.latent, config.hidden, config.members, bound=1.0, seed=seed + 1)
    known = Ensemble(size, (), 1)
    known.look(pairs.rows.numpy())
    decoder.mean[:size], decoder.std[:size] = known.mean, known.std  # the latent is in units of its prior
    return Networks(encoder, decoder, pairs.mean_length)


def _sets(told: OperatorPairs, config: Config, generator: torch.Generator) -> Tensor:
    """Return sets (sets, size) of comparisons, drawn with replacement, each of one operator."""
    operators = torch.randint(len(told.names), (config.sets,), generator=generator)
    chances = (told.who == operators[:, None]).float()
    return torch.multinomial(chances, config.size, replacement=True, generator=generator)


def _negative_elbo(
    networks: Networks,
    pairs: Pairs,
    means: Tensor,
    chosen: Tensor,
    weight: float,
    config: Config,
    generator: torch.Generator,
) -> Tensor:
    """Return minus the lower bound per comparison; it is one for any part of the set that is encoded."""
    counts = torch.randint(1, config.size + 1, (len(chosen), 1), generator=generator)
    seen = (torch.arange(config.size) < counts).float()
    mean, log_variance = posterior(networks.encoder, means[chosen], pairs.labels[chosen], seen)
    latent = drawn(mean, log_variance, generator)
    losses = _losses(networks, pairs, chosen, latent, config, generator).sum(-1)
    return (losses + weight * kl_to_prior(mean, log_variance)).mean() / config.size


def _losses(
    networks: Networks,
    pairs: Pairs,
    chosen: Tensor,
    latent: Tensor,
    config: Config,
    generator: torch.Generator,
) -> Tensor:
    """Return how unlikely sets (s, n) of comparisons are for latents (s, z); (s, n), mean over members."""
    flat = chosen.reshape(-1)
    looks = spread_looks(pairs, flat, config.rows, generator)
    rows, counts = pairs.rows[looks.at].flatten(1, 2), looks.counts  # (s n, 2 r, d), (s n, 2, r)
    each = latent.repeat_interleave(chosen.shape[1], 0)
    values = values_of(networks.decoder, rows, each).reshape(-1, *counts.shape)
    returns = (values * counts).sum(-1) / networks.unit
    logits = config.sharpness * (returns[..., 0] - returns[..., 1])
    labels = pairs.labels[flat].expand_as(logits)
    losses = binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(0)
    return (losses * pairs.weights[flat]).view_as(chosen)
