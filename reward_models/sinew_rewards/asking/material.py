"""The recorded episodes that may be asked about: their stamps, and the features that a reward looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.types import Task
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.feedback.types import Clip
from sinew_data.reader import open_episode
from sinew_data.summary import EpisodeSummary

from sinew_rewards.learned.features import FeatureMap
from sinew_rewards.learned.trajectory import Features

TREE = "tree"  # of an episode's extra facts: episodes that branched from one state have the same
Stamps = npt.NDArray[np.int64]  # (T,) ns


@dataclass(frozen=True, slots=True)
class Material:
    """An episode of T control periods to choose clips from."""

    summary: EpisodeSummary
    stamps: Stamps  # (T,) ns, rising
    features: Features  # (T, d); d is 0 where no reward looks

    @property
    def tree(self) -> str:
        """What the episode branched from; empty where it did not."""
        return self.summary.start.extra.get(TREE, "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that may be asked about."""

    clip: Clip
    episode: int  # which material
    begin: int  # its first control period
    end: int  # the one after its last


def read_material(
    path: Path, task: str, features: FeatureMap | None, on_episode: Callable[[], None] = lambda: None
) -> tuple[list[Material], list[str]]:
    """Read a dataset's episodes of a task, or of all; return also why others were left out."""
    found, problems = [], []
    for entry in Dataset(path).entries():
        on_episode()
        if entry.summary is None:
            problems.append(entry.problem)
        elif task in ("", entry.summary.start.task):
            try:
                found.append(_read(entry.summary, features))
            except EpisodeError as error:
                problems.append(str(error))
    return found, problems


def _read(summary: EpisodeSummary, features: FeatureMap | None) -> Material:
    """Read an episode; with features, the control periods in which they are known."""
    start = summary.start
    stamps, rows = [], []
    if features is not None:
        features.reset(Task(start.task, start.instruction, start.max_steps))
    with open_episode(summary.path) as episode:
        for step in episode.steps(frames=features is not None, seen=features is not None):
            row = np.zeros(0) if features is None else features.of(step.observation)
            if row is not None:
                stamps.append(step.observation.stamp)
                rows.append(row)
    table = np.array(rows, np.float32).reshape(len(stamps), -1) if rows else np.zeros((0, 0), np.float32)
    return Material(summary, np.array(stamps, np.int64), table)


def candidates(materials: list[Material], seconds: float, *, from_start: bool = False) -> list[Candidate]:
    """Return clips of one length, overlapping by half, to each episode's very end or from its beginning.

    They lie on a grid of the episode's own, so that a clip is the same one in every session. ConfigError
    where no episode is long enough.
    """
    found = []
    for index, material in enumerate(materials):
        rows, length = len(material.stamps), _periods(material, seconds)
        stride, latest = max(1, length // 2), rows - length
        first_begin = 0 if from_start or latest < 0 else latest % stride
        for begin in range(first_begin, latest + 1, stride):
            first, last = (int(material.stamps[i]) for i in (begin, begin + length - 1))
            clip = Clip(material.summary.name, first, last)
            found.append(Candidate(clip, index, begin, begin + length))
    if not found:
        raise ConfigError(
            f"no episode has {seconds:g} s to show: choose shorter clips by --seconds, or other episodes."
        )
    return found


def _periods(material: Material, seconds: float) -> int:
    return max(1, round(seconds / material.summary.start.control_period))
