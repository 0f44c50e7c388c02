"""A path of block centres: which block a point is at, how far along the path, and how far beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class BlockPath:
    """Blocks in order; `cumulative` is the arc length up to each of them."""

    blocks: FloatArray  # (k, 3) m, base frame
    cumulative: FloatArray  # (k,) m

    @classmethod
    def through(cls, blocks: FloatArray) -> BlockPath:
        """Return the path through blocks (k, 3), k at least 1."""
        lengths = np.linalg.norm(np.diff(blocks, axis=0), axis=1)
        return cls(np.array(blocks, dtype=np.float64), np.concatenate([[0.0], np.cumsum(lengths)]))

    @property
    def last(self) -> int:
        """The index of the last block."""
        return len(self.blocks) - 1

    def nearest(self, point: FloatArray, first: int, last: int) -> int:
        """Return the index of the block nearest to `point` (3,) among `first` to `last`, both included."""
        first, last = max(first, 0), min(last, self.last)
        return first + int(np.linalg.norm(self.blocks[first : last + 1] - point, axis=1).argmin())

    def segment_of(self, point: FloatArray) -> int:
        """Return the index of the block at which the segment nearest to `point` (3,) begins."""
        if self.last == 0:
            return 0
        distances = [self._on_segment(point, end)[1] for end in range(1, self.last + 1)]
        return int(np.argmin(distances))

    def project(self, point: FloatArray, block: int, last: int) -> tuple[float, float]:
        """Project `point` (3,) on the segments beside `block`, none of them past the block `last`.

        Returns the arc length of the projection as a share of the whole path, and the distance to it in m.
        """
        ends = [i for i in (block, block + 1) if 1 <= i <= min(last, self.last)]
        candidates = [self._on_segment(point, end) for end in ends]
        if not candidates:
            along = float(self.cumulative[block])
            candidates = [(along, float(np.linalg.norm(point - self.blocks[block])))]
        along, beside = min(candidates, key=lambda candidate: candidate[1])
        total = float(self.cumulative[-1])
        return (along / total if total > 0 else 1.0), beside

    def _on_segment(self, point: FloatArray, end: int) -> tuple[float, float]:
        start, way = self.blocks[end - 1], self.blocks[end] - self.blocks[end - 1]
        square = float(way @ way)
        share = 0.0 if square == 0 else float(np.clip((point - start) @ way / square, 0.0, 1.0))
        beside = float(np.linalg.norm(point - start - share * way))
        return float(self.cumulative[end - 1]) + share * float(np.sqrt(square)), beside
