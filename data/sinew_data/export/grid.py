"""Aligns streams of different rates by capture time: for each moment of an even grid the nearest of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
import numpy.typing as npt
from sinew_core.types import NANOSECONDS

Stamps = npt.NDArray[np.int64]  # (k,) ns
REGULAR = 1.5  # times the usual interval, up to which one is jitter; a longer one is a loss
MICROSECOND = 1000  # ns, of rounding


@dataclass(frozen=True, slots=True)
class Gap:
    """A moment without anything near enough in one stream."""

    stream: str
    at: int  # ns
    distance: int  # ns to the nearest
    tolerance: int  # ns


@dataclass(frozen=True, slots=True)
class Alignment:
    """The moments at which every stream has something, and what it has."""

    moments: Stamps  # (rows,)
    chosen: Mapping[str, Stamps]  # (rows,) capture stamps by stream
    worst: Mapping[str, int]  # ns, farthest chosen stamp from its moment by stream
    tolerance: Mapping[str, int]  # ns by stream
    gaps: tuple[Gap, ...]  # moments left out between the first and the last
    trimmed: int  # moments left out before the first and after the last


def moments(first: int, last: int, fps: Fraction) -> Stamps:
    """Return the grid from `first` to less than half a period beyond `last`, in ns."""
    period = NANOSECONDS / fps
    count = ceil((last - first) / period - Fraction(1, 2)) + 1
    return first + np.arange(count) * period.numerator // period.denominator


def nearest(stamps: Stamps, at: Stamps) -> Stamps:
    """Return for each moment the nearest of sorted stamps, of two equally near ones the earlier."""
    after = np.minimum(np.searchsorted(stamps, at), len(stamps) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(at - stamps[before]) <= np.abs(stamps[after] - at)
    found: Stamps = np.where(earlier, stamps[before], stamps[after])
    return found


def longest_regular(stamps: Stamps) -> int:
    """Return the longest interval that is jitter and no loss, in ns; 0 for fewer than two stamps."""
    intervals = np.diff(stamps)
    if not len(intervals):
        return 0
    return int(intervals[intervals <= REGULAR * np.median(intervals)].max())


def align(at: Stamps, streams: Mapping[str, Stamps], fps: Fraction, tolerance: float | None) -> Alignment:
    """Align streams to a grid.

    The default tolerance is half a frame period: of the grid, or of a stream that is slower, the longest
    regular one. A moment before a stream's begin or after its end, by no more than one frame period, is
    trimmed; every other one without something near enough is a gap. `tolerance` is in s.
    """
    half = int(NANOSECONDS / fps / 2) + MICROSECOND
    chosen, limits = {}, {}
    kept, edge = np.ones(len(at), dtype=bool), np.zeros(len(at), dtype=bool)
    gaps: list[Gap] = []
    for name, given in streams.items():
        stamps = np.unique(given)
        regular = longest_regular(stamps)
        own = max(half, regular // 2 + MICROSECOND)
        limits[name] = own if tolerance is None else round(tolerance * NANOSECONDS)
        chosen[name] = nearest(stamps, at)
        distance = np.abs(chosen[name] - at)
        far = distance > limits[name]
        outside = far & ((at < stamps[0]) | (at > stamps[-1])) & (distance <= max(regular, 2 * half))
        kept &= ~far
        edge |= outside
        gaps += [
            Gap(name, int(at[i]), int(distance[i]), limits[name]) for i in np.flatnonzero(far & ~outside)
        ]
    rows = {name: stamps[kept] for name, stamps in chosen.items()}
    worst = {name: int(np.abs(stamps - at[kept]).max(initial=0)) for name, stamps in rows.items()}
    return Alignment(at[kept], rows, worst, limits, tuple(gaps), int((edge & ~kept).sum()))
