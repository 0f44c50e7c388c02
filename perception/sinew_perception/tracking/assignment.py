"""Optimal assignment of rows to columns of a small cost matrix, by shortest augmenting paths."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray


def assign(costs: FloatArray) -> list[tuple[int, int]]:
    """Return pairs (row, column) of least total cost, as many as can be made of finite costs (m, n).

    SciPy's solver would do, but importing it takes longer than everything else at start-up.
    """
    rows, columns = costs.shape
    if not costs.size or not np.isfinite(costs).any():
        return []
    # Beside its own columns each row gets one that means "none", dearer than all finite costs together.
    none = 1.0 + 2.0 * float(np.abs(costs[np.isfinite(costs)]).sum())
    square = np.full((rows, columns + rows), np.inf)
    square[:, :columns] = np.where(np.isfinite(costs), costs, np.inf)
    square[np.arange(rows), columns + np.arange(rows)] = none
    owner = np.full(columns + rows, -1)
    u, v = np.zeros(rows), np.zeros(columns + rows)  # the dual prices of rows and columns
    for row in range(rows):
        _augment(square, row, owner, u, v)
    return [(int(owner[c]), c) for c in range(columns) if owner[c] >= 0]


def _augment(costs: FloatArray, row: int, owner: FloatArray, u: FloatArray, v: FloatArray) -> None:
    """Give `row` a column, moving other rows on along the cheapest path; changes owner, u and v."""
    n = costs.shape[1]
    length, via = np.full(n, np.inf), np.full(n, -1)
    done = np.zeros(n, dtype=bool)
    at, last, reached = row, -1, 0.0
    while True:
        through = reached + costs[at] - u[at] - v
        better = ~done & (through < length)
        length[better], via[better] = through[better], last
        last = int(np.where(done, np.inf, length).argmin())
        reached = float(length[last])
        done[last] = True
        if owner[last] < 0:
            break
        at = int(owner[last])
    u[row] += reached
    for column in np.flatnonzero(done):
        if column != last:
            u[owner[column]] += reached - length[column]
        v[column] += length[column] - reached
    while last >= 0:
        before = int(via[last])
        owner[last] = row if before < 0 else owner[before]
        last = before
