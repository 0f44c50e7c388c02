"""Things that nobody has seen before: they are named once they have been seen a few times in a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.types import Keypoint

from sinew_perception.tracking.track import kind_of


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Something without a name."""

    kind: str
    seen: Keypoint
    times: int


class Newcomers:
    """Remembers what was seen in the last set of frames and is no track yet."""

    def __init__(self, born_after: int, gate: float) -> None:
        self._born_after, self._gate = born_after, gate
        self._last: list[Newcomer] = []

    def reset(self) -> None:
        """Forget all of them."""
        self._last = []

    def grown_up(self, found: Mapping[str, Keypoint]) -> list[tuple[str, Keypoint]]:
        """Take what is new in this set of frames; return the kinds and keypoints that get a name now."""
        present = [self._counted(kind_of(name), seen) for name, seen in found.items()]
        self._last = [one for one in present if one.times < self._born_after]
        return [(one.kind, one.seen) for one in present if one.times >= self._born_after]

    def _counted(self, kind: str, seen: Keypoint) -> Newcomer:
        times = max(
            (
                one.times
                for one in self._last
                if one.kind == kind and np.linalg.norm(one.seen.position - seen.position) <= self._gate
            ),
            default=0,
        )
        return Newcomer(kind, seen, times + 1)
