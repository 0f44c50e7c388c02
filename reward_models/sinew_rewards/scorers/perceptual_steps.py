"""Gaussian likenesses to the steps of a task, and what a frame is worth by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_rewards.learned.scoring import Arrays, Score
from sinew_rewards.learners.perceptual_steps_cuts import step_cuts

FARTHEST = 10.0  # standard deviations, beyond which nothing is farther
NAMES = ("mean", "std", "chosen", "centre", "spread")


class PerceptualScorer:
    """The sum of how much a frame looks like each step but the first, later ones twice as much each.

    Features (d,) are standardised by `mean` and `std`; of each of s steps, `chosen` (s, m) are the features
    that it is known by, with the means `centre` and the spreads `spread`. The value is the sum over its
    greatest, 0 to 1 (Sermanet et al. 2016, eq. 3). The progress is the step that the frame belongs to by
    Bayes' rule, the mean of all steps weighted by their probabilities, as a share of the last one: where a
    frame lies between two steps, it is between them, too. Terms: the likeness to each step, 0 to 1.
    """

    def __init__(
        self,
        least: int,
        mean: FloatArray,
        std: FloatArray,
        chosen: npt.NDArray[np.intp],
        centre: FloatArray,
        spread: FloatArray,
    ) -> None:
        self._least, self._mean, self._std = least, mean, std
        self._chosen, self._centre, self._spread = chosen, centre, spread
        self._steps = len(centre)
        weights = 2.0 ** np.arange(self._steps - 1)
        self._weights = np.concatenate([[0.0], weights / weights.sum()])

    def reset(self) -> None:
        """Nothing to forget."""

    def score(self, features: FloatArray) -> Score:
        """Score a step."""
        off = self._standard(features)[self._chosen]
        squares = np.square((off - self._centre) / self._spread)  # (s, m)
        like = np.exp(-0.5 * squares).mean(1)
        chances = -0.5 * squares.mean(1) - np.log(self._spread).mean(1)
        chances = np.exp(chances - chances.max())
        progress = float(chances @ np.arange(self._steps) / chances.sum() / (self._steps - 1))
        terms = {f"step_{i}": float(each) for i, each in enumerate(like)}
        return Score(float(self._weights @ like), progress=progress, terms=terms)

    def cuts(self, features: FloatArray) -> list[int]:
        """Return where the steps after the first one begin in an episode's features (T, d)."""
        return step_cuts(self._standard(features), self._steps, self._least)

    def settings(self) -> Mapping[str, Any]:
        """Return what is no array."""
        return {"least": self._least}

    def arrays(self) -> Arrays:
        """Return statistics and Gaussians."""
        values = (self._mean, self._std, self._chosen.astype(np.int64), self._centre, self._spread)
        return {name: value.copy() for name, value in zip(NAMES, values, strict=True)}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> PerceptualScorer:
        """Return the scorer of these; ValueError for shapes that do not fit together."""
        mean, std, chosen, centre, spread = (np.array(arrays[name]) for name in NAMES)
        if mean.ndim != 1 or std.shape != mean.shape or centre.ndim != 2 or len(centre) < 2:
            raise ValueError(f"mean {mean.shape}, std {std.shape}, centre {centre.shape} do not fit together")
        if chosen.shape != centre.shape or spread.shape != centre.shape or chosen.max() >= len(mean):
            raise ValueError(
                f"steps of {chosen.shape}, {centre.shape} and {spread.shape} do not fit together"
            )
        return cls(int(settings["least"]), mean, std, chosen.astype(np.intp), centre, spread)

    def _standard(self, features: FloatArray) -> FloatArray:
        return np.clip((features - self._mean) / self._std, -FARTHEST, FARTHEST)
