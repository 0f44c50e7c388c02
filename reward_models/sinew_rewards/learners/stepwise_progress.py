"""Stepwise progress attribution: which steps an outcome is owed to, learned from outcomes alone.

SPA (arXiv 2505.20732): a causal estimator gives every step a contribution, and is trained only on how far
the sum of an episode's contributions is from its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback, Mark, Rating
from torch import Tensor

from sinew_rewards.learned.network import Ensemble, ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.outcomes import Outcome, outcomes_of
from sinew_rewards.learners.stepwise_progress_prefix import Prefix, prefixes


@dataclass(frozen=True, slots=True)
class Config:
    """The networks, and how they are fitted."""

    hidden: tuple[int, ...] = (64, 64)
    members: int = 3
    memory: tuple[int, ...] = (10,)  # steps over which what was seen before fades
    bound: float = 1.0  # of the contribution of a step; an outcome is 0 to 1
    batch: int = 16  # episodes
    steps: int = 400
    rate: float = 2e-3
    decay: float = 1e-2

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.members, self.steps, self.batch) < 1 or min(self.memory, default=1) < 1:
            raise ValueError("expected members, steps, batch and each memory of at least 1.")
        if min(self.bound, self.rate) <= 0 or self.decay < 0:
            raise ValueError("expected bound and rate above 0 and a decay of at least 0.")


class StepwiseProgress:
    """Learns from how episodes ended: marks, ratings (0 to 1) for what may be done in part, or success.

    The outcome belongs to the whole episode up to the end of the clip that was marked.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> StepwiseScorer:
        """Learn; ConfigError where no two episodes ended differently."""
        config = self._config
        told = [each for each in outcomes_of(episodes, feedback, (Mark, Rating)) if each.value is not None]
        _check(told)
        rows = [prefixes(_up_to(episodes, each), config.memory) for each in told]
        outcomes = torch.tensor([each.value for each in told], dtype=torch.float32)
        network = Ensemble(rows[0].shape[1], config.hidden, config.members, bound=config.bound, seed=seed)
        network.look(np.concatenate(rows))
        _begin_at_nothing(network)
        tensors = [torch.as_tensor(each, dtype=torch.float32) for each in rows]
        self._search(network, tensors, outcomes, seed)
        return StepwiseScorer(network, config.memory, _scale(network, tensors, outcomes))

    def _search(self, network: Ensemble, rows: Sequence[Tensor], outcomes: Tensor, seed: int) -> None:
        config, generator = self._config, torch.Generator().manual_seed(seed)
        search = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(search, config.steps)
        for _ in range(config.steps):
            drawn = torch.randperm(len(rows), generator=generator)[: config.batch]
            sums = _sums(network, [rows[i] for i in drawn])
            loss = (sums - outcomes[drawn]).square().mean()
            search.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            search.step()
            slower.step()


class StepwiseScorer:
    """Value: what the step just made contributed; progress: the sum so far, within 0 and 1.

    Only what was seen up to a step counts for it. Uncertainty: the spread over the members. `scale`
    makes sums match outcomes, on average over the training episodes.
    """

    def __init__(self, network: Ensemble, memory: Sequence[int], scale: float) -> None:
        self._network, self._memory, self._scale = network, tuple(memory), scale
        self.reset()

    def reset(self) -> None:
        """Begin an episode."""
        self._prefix, self._sum = Prefix(self._memory), 0.0

    def score(self, features: FloatArray) -> Score:
        """Score the next step, features (d,)."""
        values = self._scale * self._network.of(self._prefix.step(features))[:, 0]
        value = float(values.mean())
        self._sum += value
        progress = min(max(self._sum, 0.0), 1.0)
        return Score(value, None, progress, float(values.std()), {"so_far": self._sum})

    def attribute(self, features: FloatArray, outcome: float) -> FloatArray:
        """Return contributions (T,) of an ended episode, features (T, d), that sum to its outcome.

        What the sum lacks or has too much is made up by the steps in proportion to what each contributed,
        so that this is no longer causal: it is for writing rewards beside recorded episodes.
        """
        found = self._scale * self._network.of(prefixes(features, self._memory))[..., 0].mean(0)
        size = np.abs(found).sum()
        shares = np.abs(found) / size if size > 0 else np.full(len(found), 1 / len(found))
        return np.asarray(found + (outcome - found.sum()) * shares, np.float64)

    def settings(self) -> Mapping[str, Any]:
        """Return the memory and the scale."""
        return {"memory": list(self._memory), "scale": self._scale, "bound": self._network.bound}

    def arrays(self) -> Arrays:
        """Return the ensemble's weights."""
        return self._network.arrays()

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return the scorer of these weights; ValueError or KeyError where something is missing."""
        network = ensemble_of(arrays, float(settings["bound"]))
        return cls(network, [int(each) for each in settings["memory"]], float(settings["scale"]))


def _up_to(episodes: Episodes, told: Outcome) -> FloatArray:
    """Return the features of a clip's episode up to the end of the clip."""
    whole, rows = episodes.of(told.clip), episodes.rows(told.clip)
    return np.asarray(whole.features[: rows.stop], np.float64)


def _check(told: Sequence[Outcome]) -> None:
    if len({each.value for each in told}) < 2:
        raise ConfigError(
            f"stepwise progress: all of {len(told)} known outcomes are alike; it needs episodes that ended "
            "well and others that did not: mark some."
        )


def _begin_at_nothing(network: Ensemble) -> None:
    """Let every contribution begin at 0: a sum over many steps of anything else would drown the outcome."""
    with torch.no_grad():
        network.weights[-1].zero_()


def _sums(network: Ensemble, rows: Sequence[Tensor]) -> Tensor:
    """Return the sum of contributions (members, n) of each of n episodes."""
    parts = network(torch.cat([*rows]))[..., 0].split([len(each) for each in rows], 1)
    return torch.stack([part.sum(1) for part in parts], 1)


@torch.inference_mode()
def _scale(network: Ensemble, rows: Sequence[Tensor], outcomes: Tensor) -> float:
    """Return by what the mean contributions are multiplied so that their sums match outcomes best."""
    sums = _sums(network, rows).mean(0)
    return float((sums @ outcomes) / sums.square().sum().clamp_min(1e-6))
