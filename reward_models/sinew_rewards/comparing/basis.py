"""Features in which potentials are sought: no more of them than the transitions can tell apart."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray

ENOUGH = 10  # transitions for each feature


class Basis:
    """Standardised features (n, d) with a constant.

    With transitions enough for each their squares and products are features, too; with too few of them,
    the features are the leading principal components instead, as many as there are transitions for.
    """

    def __init__(self, rows: FloatArray, transitions: int) -> None:
        self._mean, std = rows.mean(0), rows.std(0)
        told = std > 1e-9 * (1.0 + np.abs(self._mean))  # what never changes is the constant once more
        self._scale = np.where(told, 1 / np.where(told, std, 1.0), 0.0)
        size, most = rows.shape[1], max(transitions // ENOUGH, 1)
        self._products = 1 + size + size * (size + 1) // 2 <= most
        self._components: FloatArray | None = None
        if 1 + size > most:
            centred = (rows - self._mean) * self._scale
            self._components = np.linalg.svd(centred, full_matrices=False)[2][: most - 1].T  # (d, k)

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Return the features (n, k) of rows (n, d)."""
        x = (rows - self._mean) * self._scale
        if self._components is not None:
            x = x @ self._components
        columns = [np.ones((len(x), 1)), x]
        if self._products:
            i, j = np.triu_indices(x.shape[1])
            columns.append(x[:, i] * x[:, j])
        return np.concatenate(columns, 1)
