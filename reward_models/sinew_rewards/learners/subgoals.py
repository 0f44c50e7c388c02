"""Sub-goals of a task by taking demonstrations apart in an embedding, and a reward for reaching them in turn.

After the Universal Visual Decomposer (Zhang et al. 2024). The embedding is what the features are: those of a
frozen network on pictures, or geometry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.shown import demonstrations
from sinew_rewards.learners.subgoals_align import aligned
from sinew_rewards.learners.subgoals_cuts import CutConfig, cuts
from sinew_rewards.scorers.subgoals import SubgoalScorer

__all__ = ["Config", "CutConfig", "Subgoals", "cuts"]
LEAST_SPREAD = 1e-3  # of a feature that never changes


@dataclass(frozen=True, slots=True)
class Config:
    """How demonstrations are taken apart, and when a sub-goal counts as reached."""

    cut: CutConfig = field(default_factory=CutConfig)
    reached: float = 0.2  # share of the way to a sub-goal that may be left
    least: float = 0.25  # of the demonstrations' way to a sub-goal: no way to it counts as shorter

    def __post_init__(self) -> None:
        """Check the shares."""
        if not 0 < self.reached < 1 or not 0 < self.least <= 1:
            raise ValueError("expected reached above 0 and below 1, least above 0 and at most 1.")


class Subgoals:
    """Takes each demonstration apart, and averages what is seen at the same sub-goals of all of them."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> SubgoalScorer:
        """Learn; nothing is drawn, so that all seeds do alike."""
        shown = demonstrations(episodes, feedback, "sub-goals")
        frames = np.concatenate(shown)
        mean, std = frames.mean(0), np.maximum(frames.std(0), LEAST_SPREAD)
        shown = [(demo - mean) / std for demo in shown]
        found = [cuts(demo, self._config.cut) for demo in shown]
        pattern = _most_typical(found)
        goals = _goals_like(pattern, shown, found)
        lengths = _lengths(goals, np.mean([demo[0] for demo in shown], axis=0))
        return SubgoalScorer(
            self._config.cut, self._config.reached, self._config.least * lengths, goals, mean, std
        )


def _most_typical(found: Sequence[Sequence[int]]) -> int:
    """Return the index of a demonstration that has as many sub-goals as the median one."""
    counts = np.array([len(each) for each in found])
    return int(np.abs(counts - np.median(counts)).argmin())


def _goals_like(pattern: int, shown: Sequence[FloatArray], found: Sequence[Sequence[int]]) -> FloatArray:
    """Return the mean of all demonstrations (g, d) at the frames that match `pattern`'s sub-goals."""
    frames = np.array(found[pattern])
    matching = [
        demo[found[i] if len(found[i]) == len(frames) else aligned(shown[pattern], demo, frames)]
        for i, demo in enumerate(shown)
    ]
    return np.asarray(np.mean(matching, axis=0))


def _lengths(goals: FloatArray, start: FloatArray) -> FloatArray:
    """Return how far it is from each sub-goal to the next (g,), the first from the start."""
    return np.asarray(np.linalg.norm(np.diff(goals, axis=0, prepend=start[None]), axis=1))
