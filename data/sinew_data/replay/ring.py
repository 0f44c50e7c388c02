"""A moment's view of the rows that may be sampled. Rows are numbered from the first one ever written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sinew_data.replay.layout import ADDED, AnyArray, IntArray
from sinew_data.replay.storage import Storage


@dataclass(frozen=True, slots=True)
class Ring:
    """Rows first <= r < rows, each in slot r modulo `slots`; at least one."""

    arrays: Mapping[str, AnyArray]
    slots: int
    first: int
    rows: int

    def value(self, column: str, row: int) -> int:
        """Return one number of a column of numbers."""
        return int(self.arrays[column][row % self.slots])

    def row(self, row: int) -> dict[str, AnyArray]:
        """Return a copy of every column of a row."""
        return {name: array[row % self.slots].copy() for name, array in self.arrays.items()}

    def find(self, added: IntArray) -> IntArray:
        """Return the first row that has so many transitions up to and with itself; all must be within.

        A row that begins an episode counts as many as the one before it, so for every transition this is
        the row that it leads to.
        """
        start, stop = self.first % self.slots, (self.rows - 1) % self.slots + 1
        column = self.arrays[ADDED]
        if start < stop:
            return np.searchsorted(column[start:stop], added) + self.first
        older, newer = column[start:], column[:stop]
        in_newer = np.searchsorted(newer, added) + len(older)
        return np.where(added <= older[-1], np.searchsorted(older, added), in_newer) + self.first


def view(storage: Storage, most: int) -> Ring:
    """Return the newest rows, at most so many.

    A slot whose row was, or is just being, written over is never among them.
    """
    rows = storage.rows
    lost = max(storage.high, rows + 1) - storage.slots
    return Ring(storage.arrays, storage.slots, max(0, rows - most, lost), rows)
