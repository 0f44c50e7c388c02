"""A labelled grid over an image: columns a, b, ... from left to right, rows 1, 2, ... from bottom to top."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of equal size over a whole image."""

    columns: int
    rows: int
    width: int  # px
    height: int  # px

    def cells(self) -> tuple[str, ...]:
        """Return the labels, column after column, each from bottom to top."""
        return tuple(f"{c}{r + 1}" for c in ascii_lowercase[: self.columns] for r in range(self.rows))

    def centre(self, cell: str) -> FloatArray:
        """Return the pixel (2,) in the middle of a cell."""
        column, row = ascii_lowercase.index(cell[0]), int(cell[1:]) - 1
        share = np.array([(column + 0.5) / self.columns, 1 - (row + 0.5) / self.rows])
        return share * [self.width, self.height] - 0.5

    def cell_at(self, pixel: FloatArray) -> str | None:
        """Return the cell that a pixel (2,) lies in, or None for one outside the image."""
        across, down = (np.asarray(pixel) + 0.5) / [self.width, self.height]
        if not (0 <= across < 1 and 0 <= down < 1):
            return None
        row = self.rows - int(down * self.rows)
        return f"{ascii_lowercase[int(across * self.columns)]}{row}"

    def edges(self) -> tuple[FloatArray, FloatArray]:
        """Return the columns and the rows, px, at which inner grid lines are drawn."""
        across = np.arange(1, self.columns) * self.width / self.columns - 0.5
        down = np.arange(1, self.rows) * self.height / self.rows - 0.5
        return across, down
