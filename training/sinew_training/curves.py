"""How trainings went: groups of runs that differ in their seeds, compared at equal numbers of decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

from sinew_training.run_directory import Progress, open_run

WINDOW = 20  # episodes over which takeovers are averaged

Steps = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """Values over decisions."""

    steps: Steps  # (k,)
    values: FloatArray  # (k,)


@dataclass(frozen=True, slots=True)
class RunCurve:
    """One training."""

    path: str
    seed: int
    success: Series  # of the greedy policy, at each evaluation
    interventions: Series  # share of decisions that a person made, averaged over WINDOW episodes
    wall_s: float

    def steps_to(self, level: float) -> float:
        """Return after how many decisions success first reached a level, between evaluations on a line.

        Infinite where it never did.
        """
        steps, values = self.success.steps, self.success.values
        reached = np.flatnonzero(values >= level)
        if reached.size == 0:
            return math.inf
        k = int(reached[0])
        if k == 0:
            return float(steps[0])
        share = (level - values[k - 1]) / (values[k] - values[k - 1])
        return float(steps[k - 1] + share * (steps[k] - steps[k - 1]))


@dataclass(frozen=True, slots=True)
class Group:
    """Trainings that differ in their seeds alone."""

    name: str
    runs: tuple[RunCurve, ...]

    def spread(self, kind: str) -> tuple[Steps, FloatArray]:
        """Return steps (k,) and (3, k): the lowest, the median and the highest of the runs' values.

        `kind` is `success` or `interventions`; steps are those up to which every run went.
        """
        series = [getattr(run, kind) for run in self.runs]
        last = min(one.steps[-1] if len(one.steps) else 0 for one in series)
        steps = np.unique(np.concatenate([one.steps for one in series]))
        steps = steps[steps <= last]
        if steps.size == 0:
            return steps, np.zeros((3, 0))
        values = np.array([np.interp(steps, one.steps, one.values) for one in series])
        return steps, np.array([values.min(0), np.median(values, 0), values.max(0)])

    def steps_to(self, level: float) -> tuple[float, float, float]:
        """Return the fewest, the median and the most decisions to a level; infinite where it was not met."""
        found = sorted(run.steps_to(level) for run in self.runs)
        middle = found[(len(found) - 1) // 2], found[len(found) // 2]
        return found[0], sum(middle) / 2, found[-1]


def read_group(name: str, folders: Sequence[Path]) -> Group:
    """Read the runs of a group; ConfigError for a folder that is no training or was never evaluated."""
    return Group(name, tuple(_read(folder) for folder in folders))


def _read(folder: Path) -> RunCurve:
    run, config = open_run(folder)
    records = list(Progress(run.progress).read())
    evaluations = [record for record in records if record["kind"] == "evaluation"]
    if not evaluations:
        raise ConfigError(f"{folder}: this training was never evaluated, so it has no curve yet.")
    episodes = [record for record in records if record["kind"] == "episode"]
    return RunCurve(
        str(folder),
        config.seed,
        _series(evaluations, [record["success_rate"] for record in evaluations]),
        _takeovers(episodes),
        records[-1]["wall_s"],
    )


def _series(records: Sequence[dict[str, Any]], values: Sequence[float]) -> Series:
    return Series(np.array([record["steps"] for record in records], dtype=np.int64), np.array(values))


def _takeovers(episodes: Sequence[dict[str, Any]]) -> Series:
    """Return the share of decisions by a person in each WINDOW of episodes that is over."""
    whole = [episodes[k : k + WINDOW] for k in range(0, len(episodes) - WINDOW + 1, WINDOW)]
    decisions = [[record["decisions"] for record in window] for window in whole]
    shares = [[record["interventions"] for record in window] for window in whole]
    means = [float(np.average(s, weights=d)) for s, d in zip(shares, decisions, strict=True)]
    return _series([window[-1] for window in whole], means)


def summary(groups: Sequence[Group], level: float) -> dict[str, Any]:
    """Return the figures of groups, as JSON takes them; null where a level was not met."""
    return {
        "level": level,
        "groups": [
            {
                "name": group.name,
                "seeds": [run.seed for run in group.runs],
                "steps_to_level": [_finite(run.steps_to(level)) for run in group.runs],
                "steps_to_level_median": _finite(group.steps_to(level)[1]),
                "wall_s": [run.wall_s for run in group.runs],
                "success": [_pairs(run.success) for run in group.runs],
                "interventions": [_pairs(run.interventions) for run in group.runs],
            }
            for group in groups
        ],
    }


def _finite(value: float) -> float | None:
    return round(value) if math.isfinite(value) else None


def _pairs(series: Series) -> list[list[float]]:
    return [
        [int(step), round(float(value), 4)] for step, value in zip(series.steps, series.values, strict=True)
    ]
