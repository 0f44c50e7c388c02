"""What a report is about: a learned reward that scores features, or any reward model on observations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from sinew_core.protocols import RewardModel
from sinew_core.runtime import checked_estimate, guarded
from sinew_core.types import Observation, RewardEstimate, Task
from sinew_data.dataset import Dataset
from sinew_data.reader import open_episode
from sinew_data.rewards_beside import Estimates, join

from sinew_rewards.learned.scoring import Scorer
from sinew_rewards.learned.trajectory import Trajectory


class Subject(Protocol):
    """A reward that can be asked about an episode."""

    def estimates(self, trajectory: Trajectory, begin: int = 0) -> Estimates:
        """Return what it says of the rows from `begin` on, as of an episode that begins there.

        What is not finite is kept as it is: the lint tells it.
        """


class Scored:
    """A learned reward, on the features of trajectories."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def estimates(self, trajectory: Trajectory, begin: int = 0) -> Estimates:
        """Return what the scorer says of the rows from `begin` on."""
        return scored(self._scorer, trajectory.stamps[begin:], trajectory.features[begin:])


def scored(scorer: Scorer, stamps: np.ndarray, features: np.ndarray) -> Estimates:
    """Return what a scorer says of an episode's features (T, d), from its beginning."""
    scorer.reset()
    scores = [scorer.score(np.asarray(row, np.float64)) for row in features]
    columns = {
        name: np.array([np.nan if (x := getattr(s, name)) is None else x for s in scores], np.float64)
        for name in ("value", "success", "progress", "uncertainty")
    }
    names = dict.fromkeys(name for score in scores for name in score.terms)
    terms = {name: np.array([s.terms.get(name, np.nan) for s in scores], np.float64) for name in names}
    return Estimates(np.array(stamps, np.int64), **columns, terms=terms)


class Questioned:
    """Any reward model, on the observations of recorded episodes; it remembers how long answers took."""

    def __init__(self, model: RewardModel, dataset: Dataset) -> None:
        self._model, self._dataset = model, dataset
        self._frames = bool(getattr(model, "needs_frames", False))
        self.seconds: list[float] = []  # of every answer

    def estimates(self, trajectory: Trajectory, begin: int = 0) -> Estimates:
        """Return what the model says; InferenceError where it fails, ConfigError for a damaged file."""
        path = self._dataset.find(trajectory.name)
        stamps = trajectory.stamps[begin:]
        return join(stamps, self._answers(path, int(stamps[0]))).estimates

    def _answers(self, path: object, begin: int) -> Iterator[RewardEstimate]:
        with open_episode(str(path)) as episode:
            start = episode.summary.start
            guarded(self._model, self._model.reset, Task(start.task, start.instruction, start.max_steps))
            for step in episode.steps(frames=self._frames):
                if step.observation.stamp >= begin:
                    yield self._timed(step.observation)

    def _timed(self, observation: Observation) -> RewardEstimate:
        before = time.perf_counter()
        estimate = checked_estimate(self._model, observation)
        self.seconds.append(time.perf_counter() - before)
        return estimate
