"""An episode's numbers as columns, one row a control period; values are exactly those recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.authority import HOLD, HUMAN, POLICY, STOPPED

from sinew_data.steps import RecordedStep

OWNERS = (HOLD, POLICY, HUMAN, STOPPED)  # a column holds the place in this list
KEYPOINTS = "keypoints."
Columns = dict[str, npt.NDArray[Any]]  # (steps,) or (steps, k) each


def columns_of(steps: Iterable[RecordedStep]) -> Columns:
    """Return the columns of all steps that have a command.

    What only some steps have is NaN in the others; keypoints are there where the same ones are seen in
    every step.
    """
    rows = [_row(step) for step in steps if step.executed is not None]
    names = dict.fromkeys(name for row in rows for name in row)
    constant = all(_keypoints(row) == _keypoints(rows[0]) for row in rows)
    return {name: _column(name, rows) for name in names if constant or not name.startswith(KEYPOINTS)}


def _keypoints(row: Mapping[str, Any]) -> set[str]:
    return {name for name in row if name.startswith(KEYPOINTS)}


def _row(step: RecordedStep) -> dict[str, Any]:
    """Return the numbers of one step by column."""
    assert step.executed is not None
    joints, reward = step.observation.joints, step.reward
    row: dict[str, Any] = {
        "stamp": joints.stamp,
        "state": joints.position,
        "velocity": joints.velocity,
        "effort": joints.effort,
        "action": step.executed.position,
        "owner": OWNERS.index(step.owner) if step.owner in OWNERS else 0,
        "intervention": step.intervention,
    }
    if reward is not None:
        row["reward"] = reward.value
        for name in ("success", "progress", "uncertainty"):
            row[f"reward.{name}"] = getattr(reward, name)
        row |= {f"reward.term.{name}": value for name, value in reward.terms.items()}
    for name, point in step.observation.keypoints.items():
        row[f"{KEYPOINTS}{name}"] = point.position
        row[f"{KEYPOINTS}{name}.confidence"] = point.confidence
        row[f"{KEYPOINTS}{name}.yaw"] = np.nan if point.yaw is None else point.yaw
    return {name: value for name, value in row.items() if value is not None}


def _column(name: str, rows: list[dict[str, Any]]) -> npt.NDArray[Any]:
    """Stack one column; where a row lacks it, NaN."""
    example = np.asarray(next(row[name] for row in rows if name in row))
    absent = np.full(example.shape, np.nan)
    return np.array([row.get(name, absent) for row in rows])


def rows_at(columns: Columns, stamps: npt.NDArray[np.int64]) -> Columns:
    """Return the rows of the steps with these stamps; of two with the same stamp the later one's."""
    order = np.argsort(columns["stamp"], kind="stable")
    at = order[np.searchsorted(columns["stamp"][order], stamps, side="right") - 1]
    return {name: values[at] for name, values in columns.items()}
