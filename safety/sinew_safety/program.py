"""The small quadratic program: the step nearest to the wanted one that meets every row, softly."""

from __future__ import annotations

from dataclasses import dataclass

import daqp
import numpy as np
from sinew_core.types import FloatArray

from sinew_safety.collision_model import Indices

SOFT = 8  # daqp's mark of a constraint that may be broken at a cost
WEIGHT = 1e9  # of a row's violation squared, beside a step's deviation squared, both in full steps
TOLERANCE = 1e-9  # full steps
SMALLEST_ROW = 1e-9  # m per full step, below which no step changes a distance
PRESSING = 1e-9  # the multiplier above which a row shapes the step


@dataclass(frozen=True, slots=True)
class Rows:
    """Linear conditions on the step: gradient @ step >= least."""

    gradient: FloatArray  # (k, n) m/rad or m/m
    least: FloatArray  # (k,) m
    which: Indices  # (k,) the distances that they are about

    def lack(self, step: FloatArray) -> FloatArray:
        """Return by how much each row is broken, (k,) m; negative where it is met."""
        lack: FloatArray = self.least - self.gradient @ step
        return lack


def joined(parts: list[Rows]) -> Rows:
    """Return all rows as one."""
    return Rows(
        np.concatenate([part.gradient for part in parts]),
        np.concatenate([part.least for part in parts]),
        np.concatenate([part.which for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Solution:
    """A step and which rows shaped it."""

    step: FloatArray  # (n,)
    pressing: Indices  # which rows hold it back
    solved: bool


def nearest_step(
    wanted: FloatArray, lower: FloatArray, upper: FloatArray, full: FloatArray, rows: Rows
) -> Solution:
    """Return the step (n,) in [lower, upper] nearest to `wanted`, joints measured in `full` steps.

    The bounds hold exactly. Rows are soft, at a weight at which they are broken only where the bounds
    leave nothing else.
    """
    n = len(wanted)
    A = rows.gradient * full
    size = np.sqrt((A * A).sum(axis=1))
    counts = size > SMALLEST_ROW
    A, size, at_least = A[counts], size[counts], rows.least[counts]
    k = len(A)
    least, most, sense = np.empty(n + k), np.full(n + k, 1e30), np.zeros(n + k, dtype=np.int32)
    least[:n], least[n:] = lower / full, at_least / size
    most[:n], sense[n:] = upper / full, SOFT
    A /= size[:, None]
    x, _, flag, info = daqp.solve(
        np.eye(n), -wanted / full, A, most, least, sense, rho_soft=1 / WEIGHT, primal_tol=TOLERANCE
    )
    pressing = counts.nonzero()[0][np.abs(info["lam"][n:]) > PRESSING]
    return Solution(np.minimum(np.maximum(x * full, lower), upper), pressing, flag > 0)
