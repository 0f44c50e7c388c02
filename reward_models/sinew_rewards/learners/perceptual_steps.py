"""Rewards for the steps of a task, from a handful of demonstrations by looking (Sermanet et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.perceptual_steps_cuts import step_cuts
from sinew_rewards.learners.shown import demonstrations
from sinew_rewards.scorers.perceptual_steps import PerceptualScorer

Indices = npt.NDArray[np.intp]
LEAST_SPREAD = 1e-3  # of a feature that never changes


@dataclass(frozen=True, slots=True)
class Config:
    """How many steps there are, and what tells them apart."""

    steps: int = 4
    kept: int = 32  # features of each step, at most
    contrast: float = 1.0  # how much the difference of means counts against the spreads, alpha
    floor: float = 0.5  # least spread within a step, in standard deviations of the feature over all frames
    least: int = 5  # frames a step

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.steps < 2 or min(self.kept, self.least) < 1:
            raise ValueError("expected steps of at least 2, kept and least of at least 1.")
        if min(self.contrast, self.floor) <= 0:
            raise ValueError("contrast and floor: expected above 0.")


class PerceptualSteps:
    """Cuts each demonstration into steps, picks the features of each step, and fits Gaussians to them."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> PerceptualScorer:
        """Learn; nothing is drawn, so that all seeds do alike. ConfigError for demonstrations too short."""
        config = self._config
        shown = demonstrations(episodes, feedback, "perceptual steps")
        if min(len(demo) for demo in shown) < config.steps * config.least:
            raise ConfigError(
                f"perceptual steps: {config.steps} steps of at least {config.least} frames need "
                f"{config.steps * config.least} frames, a demonstration has {min(map(len, shown))}."
            )
        frames = np.concatenate(shown)
        mean, std = frames.mean(0), np.maximum(frames.std(0), LEAST_SPREAD)
        shown = [(demo - mean) / std for demo in shown]
        step_of = np.concatenate([self._steps(demo) for demo in shown])
        chosen, centre, spread = self._gaussians(np.concatenate(shown), step_of)
        return PerceptualScorer(config.least, mean, std, chosen, centre, spread)

    def _steps(self, demo: FloatArray) -> Indices:
        """Return which step each frame belongs to (T,)."""
        cuts = step_cuts(demo, self._config.steps, self._config.least)
        return np.searchsorted(cuts, np.arange(len(demo)), "right")

    def _gaussians(self, frames: FloatArray, step_of: Indices) -> tuple[Indices, FloatArray, FloatArray]:
        """Return the features of each step (s, m), the best first, their means and spreads."""
        config, found = self._config, []
        for step in range(config.steps):
            inside, outside = frames[step_of == step], frames[step_of != step]
            apart = np.abs(inside.mean(0) - outside.mean(0))
            clear = config.contrast * apart - (inside.std(0) + outside.std(0))
            best = np.argsort(-clear, kind="stable")[: config.kept]
            spread = np.maximum(inside.std(0), config.floor)
            found.append((best, inside.mean(0)[best], spread[best]))
        chosen, centre, spread = zip(*found, strict=True)
        return np.stack(chosen), np.stack(centre), np.stack(spread)
