"""Copies rows of columns into arrays, on two threads where that is worth their start."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from sinew_data.replay.layout import AnyArray, IntArray

WORTH = 1 << 20  # bytes to copy, from which on a second thread gains time


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows `slots` of `source` go to `target`."""

    source: AnyArray  # (slots, *shape)
    slots: IntArray  # (b,)
    target: AnyArray  # (b, *shape)


def gather(copies: Sequence[Copy], helper: Executor) -> None:
    """Make all copies; `helper` makes half of them if there is much to copy."""
    if sum(copy.target.nbytes for copy in copies) < WORTH:
        _take(copies, 0, 1)
        return
    half = helper.submit(_take, copies, 0, 2)
    _take(copies, 1, 2)
    half.result()


def _take(copies: Sequence[Copy], part: int, parts: int) -> None:
    """Make one part of each copy. NumPy holds no lock meanwhile, and `clip` keeps it from buffering."""
    for copy in copies:
        size = len(copy.slots)
        rows = slice(part * size // parts, (part + 1) * size // parts)
        np.take(copy.source, copy.slots[rows], axis=0, out=copy.target[rows], mode="clip")
