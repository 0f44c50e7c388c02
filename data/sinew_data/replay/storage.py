"""Where rows are kept: the protocol, and plain memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from sinew_data.replay.layout import AnyArray, Field


class Storage(Protocol):
    """Slots for rows; row r lies in slot r modulo their number. One thread writes, others may read."""

    slots: int
    rows: int  # written so far, whole
    high: int  # most rows that were ever begun, one that was broken off included, as far as is known
    arrays: Mapping[str, AnyArray]  # (slots, ...) by stored name, to read only

    def append(self, row: Mapping[str, AnyArray]) -> None:
        """Write a row of all columns, then count it; ReplayError if there is no room, and it is not there."""

    def retract(self, rows: int) -> None:
        """Count only the first `rows` from now on."""

    def flush(self) -> None:
        """Make what is written last over a power cut."""

    def close(self) -> None:
        """Give everything back."""


class MemoryStorage:
    """Slots in memory, gone with the process."""

    def __init__(self, fields: Mapping[str, Field], slots: int) -> None:
        self.slots, self.rows, self.high = slots, 0, 0
        self.arrays: Mapping[str, AnyArray] = {
            name: np.zeros((slots, *field.shape), field.dtype) for name, field in fields.items()
        }

    def append(self, row: Mapping[str, AnyArray]) -> None:
        """Write a row, then count it."""
        for name, value in row.items():
            self.arrays[name][self.rows % self.slots] = value
        self.high = max(self.high, self.rows + 1)
        self.rows += 1

    def retract(self, rows: int) -> None:
        """Count only the first `rows` from now on."""
        self.high = max(self.high, self.rows + 1)
        self.rows = rows

    def flush(self) -> None:
        """Do nothing: memory does not last."""

    def close(self) -> None:
        """Let the memory go."""
        self.arrays = {}
