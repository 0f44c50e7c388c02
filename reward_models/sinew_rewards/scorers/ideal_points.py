"""The scorer of ideal points: how near a step is to what somebody likes best, standardised."""

from __future__ import annotations

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
from sinew_rewards.learned.trajectory import Episodes, Features
from sinew_rewards.learners.ideal_points_fit import Config, Space, fit_weights
from sinew_rewards.learners.operators import check_known, check_operator, rows_of
from sinew_rewards.learners.preference_pairs import pairs_of

MOST = 5.0  # standard deviations at which values are clipped: nothing lies nearer than at the point itself
LEAST_SCALE = 1e-6
PROJECTION = "projection."


class IdealPointsScorer:
    """Minus the squared distance from the ideal point of whom it speaks for, everybody being the mean.

    Each operator's values have mean 0 and spread 1 over the rows that they were learnt from, and are
    clipped at five. Uncertainty is everybody's disagreement, and unknown for one operator. Terms:
    `reward_NAME` of each operator.
    """

    def __init__(
        self,
        config: Config,
        space: Space,
        names: Sequence[str],
        weights: Tensor,  # (operators, k) on the simplex
        levels: Tensor,  # (operators, 2) mean and spread of each one's squared distances
        chosen: str = "",
    ) -> None:
        self._config, self._space, self.operators = config, space, tuple(names)
        self._weights, self._levels, self._chosen = weights, levels, chosen

    def prototypes(self) -> FloatArray:
        """Return the prototypes (k, dims); in the features' own units where the space is theirs."""
        found = self._space.prototypes.detach()
        if not self._config.dims:
            found = found * self._space.projection.std + self._space.projection.mean
        return np.asarray(found.numpy(), np.float64)

    def weights(self) -> dict[str, FloatArray]:
        """Return each operator's weights (k) of the prototypes."""
        return {
            name: np.asarray(w.numpy(), np.float64)
            for name, w in zip(self.operators, self._weights, strict=True)
        }

    def for_operator(self, name: str) -> Self:
        """Return the scorer that speaks for one operator; ConfigError where there is none of this name."""
        check_known(name, self.operators)
        return self._speaking(self.operators, self._weights, self._levels, name)

    def infer(self, comparisons: Sequence[Comparison], episodes: Episodes, name: str = "new") -> Self:
        """Return a scorer that knows one operator more, and speaks for them; only their weights are fitted.

        ConfigError where the comparisons say nothing. Whoever had this name is forgotten.
        """
        check_operator(comparisons, name)
        weights = fit_weights(self._space, pairs_of(episodes, comparisons), self._config)[None]
        levels = levels_of(self._space, weights, rows_of(episodes))
        kept = [i for i, known in enumerate(self.operators) if known != name]
        names = (*(self.operators[i] for i in kept), name)
        joined = (torch.cat([self._weights[kept], weights]), torch.cat([self._levels[kept], levels]))
        return self._speaking(names, *joined, name)

    def reset(self) -> None:
        """Nothing to forget."""

    @torch.inference_mode()
    def score(self, features: FloatArray) -> Score:
        """Score a step of features (d,)."""
        row = torch.from_numpy(np.asarray(features, np.float32))
        distances = self._space.distances(row, self._weights)
        values = ((self._levels[:, 0] - distances) / self._levels[:, 1]).clamp(-MOST, MOST).numpy()
        terms = {f"reward_{name}": float(x) for name, x in zip(self.operators, values, strict=True)}
        if self._chosen:
            return Score(terms[f"reward_{self._chosen}"], terms=terms)
        return Score(float(values.mean()), uncertainty=float(values.std()), terms=terms)

    def settings(self) -> Mapping[str, Any]:
        """Return who there is, for whom it speaks, and how it was learnt."""
        return {
            "config": to_mapping(self._config),
            "operators": list(self.operators),
            "chosen": self._chosen,
        }

    def arrays(self) -> Arrays:
        """Return projection, prototypes and weights."""
        tensors = {
            "prototypes": self._space.prototypes,
            "log_sharpness": self._space.log_sharpness,
            "weights": self._weights,
            "levels": self._levels,
        }
        projection = {f"{PROJECTION}{name}": x for name, x in self._space.projection.arrays().items()}
        return {**projection, **{name: x.detach().numpy().copy() for name, x in tensors.items()}}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these; ValueError or KeyError where something is missing."""
        projection = {k.removeprefix(PROJECTION): x for k, x in arrays.items() if k.startswith(PROJECTION)}
        prototypes, sharpness, weights, levels = (
            torch.from_numpy(np.array(arrays[name]))
            for name in ("prototypes", "log_sharpness", "weights", "levels")
        )
        names = tuple(settings["operators"])
        if weights.shape != (len(names), len(prototypes)) or levels.shape != (len(names), 2):
            raise ValueError(f"weights {tuple(weights.shape)} are not those of {len(names)} operators.")
        config = from_mapping(Config, settings["config"], "the scorer's settings")
        space = Space(ensemble_of(projection), prototypes, sharpness).requires_grad_(False)
        return cls(config, space, names, weights, levels, settings["chosen"])

    def _speaking(self, names: Sequence[str], weights: Tensor, levels: Tensor, chosen: str) -> Self:
        return type(self)(self._config, self._space, names, weights, levels, chosen)


@torch.no_grad()
def levels_of(space: Space, weights: Tensor, rows: Features) -> Tensor:
    """Return mean and spread (operators, 2) of the squared distances of rows (N, d) from ideal points."""
    each = [space.distances(torch.from_numpy(rows), one) for one in weights]
    return torch.stack([torch.stack([d.mean(), d.std(correction=0).clamp_min(LEAST_SCALE)]) for d in each])
