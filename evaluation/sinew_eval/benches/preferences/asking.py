"""Comparisons of a scripted rater on simulated episodes: what the learners of the bench learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_data.feedback.types import Clip, Comparison, Feedback
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.raters.scripted import RaterConfig, ScriptedRater, as_feedback

from sinew_eval.reward_episodes import simulated_trajectories

HELD_OUT = 500_000  # added to a seed, for episodes that no learner has seen
ANSWERED = 20  # questions for each comparison, after which a rater is given up that skips them all
EVERY_SEED = 1_000  # seeds of episodes from one seed of the bench to the next


@dataclass(frozen=True, slots=True)
class Questions:
    """Which episodes are shown, and how much of them."""

    task: str = "push"
    episodes: int = 150
    rows: int = 20  # control periods of a clip; a shorter episode is shown whole


def episodes_of(questions: Questions, seed: int) -> Episodes:
    """Return the episodes that are shown for a seed of the bench."""
    return Episodes(simulated_trajectories(questions.task, questions.episodes, seed * EVERY_SEED))


def unseen_episodes(questions: Questions, count: int, seed: int) -> Episodes:
    """Return episodes that are shown to nobody."""
    return Episodes(simulated_trajectories(questions.task, count, HELD_OUT + seed * EVERY_SEED))


def ask(
    episodes: Episodes, rater: ScriptedRater, count: int, rows: int, rng: np.random.Generator
) -> list[Feedback]:
    """Return `count` answers about clips drawn at random; fewer from a rater who answers nearly nothing."""
    said: list[Comparison] = []
    for _ in range(ANSWERED * count):
        first, second = (_clip(episodes.trajectories, rows, rng) for _ in range(2))
        answer = rater.compare(episodes, first, second)
        if answer is not None:
            said.append(answer)
        if len(said) == count:
            break
    return [as_feedback(each, rater.who, when=i, index=i) for i, each in enumerate(said)]


def noisy(share: float, seed: int) -> ScriptedRater:
    """Return a rater of which a share of the answers is the wrong way round."""
    return ScriptedRater(RaterConfig(noise=share), "rater", seed)


def _clip(trajectories: Sequence[Trajectory], rows: int, rng: np.random.Generator) -> Clip:
    item = trajectories[int(rng.integers(len(trajectories)))]
    rows = min(rows, len(item.stamps))
    start = int(rng.integers(len(item.stamps) - rows + 1))
    return Clip(item.name, int(item.stamps[start]), int(item.stamps[start + rows - 1]))
