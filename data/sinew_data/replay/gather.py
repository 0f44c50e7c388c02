"""Copies rows of columns into arrays. A second thread gains nothing here: memory is what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sinew_data.replay.layout import AnyArray, IntArray


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows `slots` of `source` go to `target`."""

    source: AnyArray  # (slots, *shape)
    slots: IntArray  # (b,)
    target: AnyArray  # (b, *shape)


def gather(copies: Iterable[Copy]) -> None:
    """Make all copies; `clip` (every slot is within) keeps NumPy from copying twice."""
    for copy in copies:
        np.take(copy.source, copy.slots, axis=0, out=copy.target, mode="clip")
