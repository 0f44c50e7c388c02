"""The scorer of variational preferences: everybody's mean, one operator's taste, or somebody new's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from sinew_core.config import from_mapping, to_mapping
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Comparison
from torch import Tensor

from sinew_rewards.learned.network import ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.operators import check_known, check_operator
from sinew_rewards.learners.preference_pairs import pairs_of
from sinew_rewards.learners.variational_fit import Config, Networks, fit_latent

NETWORKS = ("encoder", "decoder")


class VariationalScorer:
    """Rewards in (-1, 1) for whom it speaks: one operator, or everybody, which is the mean of all.

    Uncertainty is the standard deviation over members and over what is not known of the operator: their
    posterior by sigma points (Julier and Uhlmann 1997), or, of everybody, the operators that there are,
    who stand for the prior. Terms: `reward_NAME` of each operator.
    """

    def __init__(
        self,
        config: Config,
        networks: Networks,
        names: Sequence[str],
        means: Tensor,
        spreads: Tensor,
        chosen: str = "",
    ) -> None:
        self._config, self._networks, self.operators = config, networks, tuple(names)
        self._means, self._spreads, self._chosen = means, spreads, chosen
        self._latents = np.concatenate([means.numpy(), self._unsure()])

    def for_operator(self, name: str) -> Self:
        """Return the scorer that speaks for one operator; ConfigError where there is none of this name."""
        check_known(name, self.operators)
        return self._speaking(self.operators, self._means, self._spreads, name)

    def infer(self, comparisons: Sequence[Comparison], episodes: Episodes, name: str = "new") -> Self:
        """Return a scorer that knows one operator more, and speaks for them; only their latent is fitted.

        ConfigError where the comparisons say nothing. Whoever had this name is forgotten.
        """
        check_operator(comparisons, name)
        mean, spread = fit_latent(self._networks, pairs_of(episodes, comparisons), self._config)
        kept = [i for i, known in enumerate(self.operators) if known != name]
        names = (*(self.operators[i] for i in kept), name)
        means, spreads = (
            torch.cat([old[kept], new[None]]) for old, new in ((self._means, mean), (self._spreads, spread))
        )
        return self._speaking(names, means, spreads, name)

    def reset(self) -> None:
        """Nothing to forget."""

    def score(self, features: FloatArray) -> Score:
        """Score a step of features (d,)."""
        each = np.broadcast_to(features, (len(self._latents), len(features)))
        values = self._networks.decoder.of(np.hstack([each, self._latents]))[..., 0]  # (members, latents)
        everyone, unsure = np.split(values, [len(self.operators)], 1)
        terms = {f"reward_{name}": float(x) for name, x in zip(self.operators, everyone.mean(0), strict=True)}
        value = terms[f"reward_{self._chosen}"] if self._chosen else float(everyone.mean())
        about = unsure if self._chosen else everyone
        return Score(value, uncertainty=float(np.sqrt(np.mean(np.square(about - value)))), terms=terms)

    def settings(self) -> Mapping[str, Any]:
        """Return who there is, for whom it speaks, and how it was learnt."""
        return {
            "config": to_mapping(self._config),
            "operators": list(self.operators),
            "chosen": self._chosen,
            "unit": self._networks.unit,
        }

    def arrays(self) -> Arrays:
        """Return both networks and the operators' posteriors."""
        networks = {
            f"{part}.{name}": value
            for part in NETWORKS
            for name, value in getattr(self._networks, part).arrays().items()
        }
        return {**networks, "means": self._means.numpy().copy(), "spreads": self._spreads.numpy().copy()}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these; ValueError or KeyError where something is missing."""
        encoder, decoder = (
            {name.removeprefix(f"{part}."): value for name, value in arrays.items() if name.startswith(part)}
            for part in NETWORKS
        )
        means, spreads = (torch.from_numpy(np.array(arrays[name])) for name in ("means", "spreads"))
        names = tuple(settings["operators"])
        networks = Networks(ensemble_of(encoder), ensemble_of(decoder, bound=1.0), float(settings["unit"]))
        if means.shape != (len(names), networks.latent) or spreads.shape != means.shape:
            raise ValueError(f"latents {tuple(means.shape)} are not those of {len(names)} operators.")
        config = from_mapping(Config, settings["config"], "the scorer's settings")
        return cls(config, networks, names, means, spreads, settings["chosen"])

    def _speaking(self, names: Sequence[str], means: Tensor, spreads: Tensor, chosen: str) -> Self:
        return type(self)(self._config, self._networks, names, means, spreads, chosen)

    def _unsure(self) -> FloatArray:
        """Return where the chosen operator's latent may as well be, (2 z, z): exact for linear rewards."""
        if not self._chosen:
            return np.empty((0, self._means.shape[1]))
        number = self.operators.index(self._chosen)
        mean, spread = self._means[number].numpy(), self._spreads[number].numpy()
        away = math.sqrt(len(mean)) * np.diag(spread)
        return np.concatenate([mean + away, mean - away])
