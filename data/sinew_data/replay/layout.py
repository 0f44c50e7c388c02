"""How a row is stored: one array, and on disk one raw file, for each column.

A row is an observation and how it was reached: the action before it, the reward for that, and flags. So
rows are only ever appended, and whatever is committed never changes. A transition leads from a row to
the one after it, unless that begins an episode.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from sinew_data.replay.schema import Schema

AnyArray = npt.NDArray[Any]
IntArray = npt.NDArray[np.int64]

BEGIN, TERMINATED, TRUNCATED, PERSON = 1, 2, 4, 8  # bits of `flags`
ACTION, REWARD, FLAGS = "action", "reward", "flags"
ADDED, INTERVENTIONS = "added", "interventions"  # transitions up to and with the one that led to this row
DTYPES = {"uint8": "|u1", "float32": "<f4"}


@dataclass(frozen=True, slots=True)
class Field:
    """One stored column."""

    shape: tuple[int, ...]  # of a row
    dtype: np.dtype[Any]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return prod(self.shape) * self.dtype.itemsize


def observation_field(name: str) -> str:
    """Return the stored name of an observation's column."""
    return f"observation.{name}"


def fields(schema: Schema) -> dict[str, Field]:
    """Return all stored columns by name; on disk each is `<name>.bin`."""
    observation = {
        observation_field(name): Field(column.shape, np.dtype(DTYPES[column.dtype]))
        for name, column in schema.observation.items()
    }
    return {
        **observation,
        ACTION: Field((schema.action,), np.dtype("<f4")),
        REWARD: Field((), np.dtype("<f4")),
        FLAGS: Field((), np.dtype("|u1")),
        ADDED: Field((), np.dtype("<i8")),
        INTERVENTIONS: Field((), np.dtype("<i8")),
    }
