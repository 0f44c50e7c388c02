"""How long something has stayed at one place of its way when it should have gone on."""

from __future__ import annotations

from sinew_core.types import NANOSECONDS


class Loitering:
    """Counts the time on one block: 0 up to `patience` s, then growing, 1 from twice that on."""

    def __init__(self, patience: float) -> None:
        self._patience = patience * NANOSECONDS
        self.reset()

    def reset(self) -> None:
        """Forget the block."""
        self._block = -1
        self._since = 0  # ns

    def update(self, stamp: int, block: int, resting: bool) -> float:
        """Return the share, 0 to 1, for being at a block at this moment; leaving it begins the time anew."""
        if not resting or block != self._block:
            self._block, self._since = (block if resting else -1), stamp
        rested = stamp - self._since if resting else 0
        return min(max(rested / self._patience - 1.0, 0.0), 1.0)
