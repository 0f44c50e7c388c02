"""Who moves the arm: a fresh human command beats the policy, a stale one gives control back, else hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray

HOLD = "hold"
PRIORITY = ("human", "policy")  # first one wins


@dataclass(frozen=True, slots=True)
class Choice:
    """What the arbiter chose for one control period."""

    source: str
    position: FloatArray | None  # (n,); None to hold
    reasons: tuple[str, ...]
    observation_stamp: int


def chunk_fault(chunk: ActionChunk, joints: int) -> str | None:
    """Return what makes a chunk unusable for a robot with `joints` joints, or None."""
    position = np.asarray(chunk.position)
    if position.ndim != 2 or position.shape[1] != joints or position.shape[0] < 1:
        return f"shape {position.shape}, expected (horizon, {joints})"
    if not np.isfinite(position).all():
        return "non-finite target"
    if not np.isfinite(chunk.dt) or chunk.dt <= 0:
        return f"dt {chunk.dt}, expected a positive number of seconds"
    return None


class Arbiter:
    """Holds the newest chunk of each source and samples the one that counts.

    A chunk is valid from its stamp until `timeout` ns after its last row; while it is, its last row is
    repeated. A faulty chunk revokes its source's earlier one: what follows is a hold, with the reason.
    """

    def __init__(self, joints: int, timeout: int, max_age: int) -> None:
        self._joints, self._timeout, self._max_age = joints, timeout, max_age
        self._chunks: dict[str, ActionChunk] = {}
        self._faults: list[str] = []

    def reset(self) -> None:
        """Forget every chunk."""
        self._chunks.clear()
        self._faults.clear()

    def offer(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        """Take a chunk of `human` or `policy`; return why it was refused, or None."""
        fault = chunk_fault(chunk, self._joints) or self._stamp_fault(source, chunk, now)
        if fault is None:
            self._chunks[source] = chunk
            return None
        if not fault.startswith("stamp"):
            self._chunks.pop(source, None)
        self._faults.append(f"refused:{source}: {fault}")
        return fault

    def covers(self, now: int) -> bool:
        """Whether some source has a row for this very moment, so that no fresh chunk need be awaited."""
        return any(
            now < chunk.stamp + round(len(chunk.position) * chunk.dt * NANOSECONDS)
            for chunk in self._chunks.values()
        )

    def choose(self, now: int) -> Choice:
        """Return the choice for the control period that begins at `now`, with why it is not more."""
        reasons, self._faults = list(self._faults), []
        for source in PRIORITY:
            chunk = self._chunks.get(source)
            if chunk is None:
                continue
            step = round(chunk.dt * NANOSECONDS)
            if now - chunk.stamp > len(chunk.position) * step + self._timeout:
                del self._chunks[source]
                reasons.append(f"stale:{source}")
                continue
            row = min((now - chunk.stamp) // step, len(chunk.position) - 1)
            return Choice(source, chunk.position[row].copy(), tuple(reasons), chunk.stamp)
        return Choice(HOLD, None, tuple(reasons), 0)

    def _stamp_fault(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        last = self._chunks.get(source)
        if chunk.stamp > now:
            return f"stamp {chunk.stamp} lies in the future of {now}"
        if now - chunk.stamp > self._max_age:
            return f"stamp {chunk.stamp} is {(now - chunk.stamp) / NANOSECONDS:.3f} s old"
        if last is not None and chunk.stamp < last.stamp:
            return f"stamp {chunk.stamp} lies before the last one, {last.stamp}"
        return None
