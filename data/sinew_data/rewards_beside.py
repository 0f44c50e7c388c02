"""What a reward says of a recorded episode, row by row; late words find their row by stamp."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray, RewardEstimate

Stamps = npt.NDArray[np.int64]  # (T,) ns
OPTIONAL = ("success", "progress", "uncertainty")


@dataclass(frozen=True, slots=True)
class Estimates:
    """The estimates of one episode; NaN where a reward said nothing."""

    stamps: Stamps  # (T,) ns, rising
    value: FloatArray  # (T,)
    success: FloatArray  # (T,) probability
    progress: FloatArray  # (T,) 0 to 1
    uncertainty: FloatArray  # (T,) standard deviation of value
    terms: Mapping[str, FloatArray] = field(default_factory=dict)  # each (T,)

    def __post_init__(self) -> None:
        """Check that every column has its rows, and the stamps their order."""
        if np.any(np.diff(self.stamps) <= 0):
            raise ValueError("estimates: expected stamps that rise from row to row.")
        columns = {"value": self.value, **{name: getattr(self, name) for name in OPTIONAL}, **self.terms}
        for name, column in columns.items():
            if column.shape != self.stamps.shape:
                raise ValueError(
                    f"estimates: {name} has shape {column.shape} for {len(self.stamps)} control periods."
                )

    def __len__(self) -> int:
        """Return the number of control periods."""
        return len(self.stamps)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which control periods (T,) have an estimate."""
        return np.isfinite(self.value)

    def at(self, stamp: int) -> RewardEstimate | None:
        """Return the estimate of exactly this stamp; None where there is none."""
        row = int(np.searchsorted(self.stamps, stamp))
        if row == len(self.stamps) or self.stamps[row] != stamp or not math.isfinite(self.value[row]):
            return None
        said = {name: _or_none(getattr(self, name)[row]) for name in OPTIONAL}
        terms = {n: float(column[row]) for n, column in self.terms.items() if math.isfinite(column[row])}
        return RewardEstimate(stamp, float(self.value[row]), **said, terms=terms)


@dataclass(frozen=True, slots=True)
class Joined:
    """An episode's control periods with the estimates that came for them, and those that fit nowhere."""

    estimates: Estimates
    unknown: int = 0  # whose stamp is that of no control period: left out, never shifted to a neighbour
    repeated: int = 0  # of a stamp that had one before; the last one counts
    unusable: int = 0  # whose value is no finite number

    @property
    def missing(self) -> int:
        """How many control periods have no estimate."""
        return int(np.sum(~self.estimates.known))


def join(stamps: Sequence[int] | Stamps, late: Iterable[RewardEstimate]) -> Joined:
    """Return the estimates in the rows of their stamps, in whatever order and however late they came.

    ValueError for stamps that do not rise.
    """
    rows = np.asarray(stamps, np.int64)
    places = {int(stamp): row for row, stamp in enumerate(rows)}
    found: dict[int, RewardEstimate] = {}
    unknown = repeated = unusable = 0
    for estimate in late:
        row = places.get(estimate.stamp)
        if row is None:
            unknown += 1
        elif not math.isfinite(estimate.value):
            unusable += 1
        else:
            repeated += row in found
            found[row] = estimate
    return Joined(_columns(rows, found), unknown, repeated, unusable)


def _columns(stamps: Stamps, found: Mapping[int, RewardEstimate]) -> Estimates:
    names = dict.fromkeys(name for row in sorted(found) for name in found[row].terms)
    columns = {name: np.full(len(stamps), np.nan) for name in ("value", *OPTIONAL)}
    terms = {name: np.full(len(stamps), np.nan) for name in names}
    for row, estimate in found.items():
        columns["value"][row] = estimate.value
        for name in OPTIONAL:
            said = getattr(estimate, name)
            columns[name][row] = np.nan if said is None else said
        for name, term in estimate.terms.items():
            terms[name][row] = term
    return Estimates(stamps, **columns, terms=terms)


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
