"""Putting together what belongs to one control period, from messages that arrive in any order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sinew_core.types import JointState

JOINTS = "joints"
KEPT = 16  # sets that wait for their missing parts, before the oldest is dropped

# From the index of a control period, counted from the episode's start, to the parts it has.
Wanted = Callable[[int], Collection[str]]


def period_index(stamp: int, start: int, period: int) -> int:
    """Return which control period of its episode a stamp lies in, the first being 0."""
    return (stamp - start + period // 2) // period


@dataclass(frozen=True, slots=True)
class Parts:
    """The joints of a control period and what came with them, by name."""

    joints: JointState
    values: Mapping[str, Any] = field(default_factory=dict)


class Assembler(Protocol):
    """Collects parts; not thread-safe."""

    def begin(self, start: int) -> None:
        """Begin an episode at a stamp; what is older is forgotten."""

    def end(self) -> None:
        """End the episode."""

    def add(self, name: str, stamp: int, value: Any) -> bool:
        """Take a part; False, and nothing done, if its stamp lies before the last one of its name."""

    def take(self) -> Parts | None:
        """Return the parts to work on now, once."""


class LockstepAssembler:
    """Hands out every control period, complete and in order; parts belong together by equal stamps."""

    def __init__(self, wanted: Wanted, period: int) -> None:
        self._wanted, self._period = wanted, period
        self._start: int | None = None
        self._pending: dict[int, dict[str, Any]] = {}
        self._last: dict[str, int] = {}
        self._taken = -1

    def begin(self, start: int) -> None:
        """Begin an episode at a stamp; what is older is forgotten."""
        self._start = start
        self._pending = {stamp: parts for stamp, parts in self._pending.items() if stamp >= start}

    def end(self) -> None:
        """End the episode; the next one's stamps may be earlier, if a clock has been set."""
        self._start = None
        self._pending.clear()
        self._last.clear()
        self._taken = -1

    def add(self, name: str, stamp: int, value: Any) -> bool:
        """Take a part; False, and nothing done, if its stamp lies before the last one of its name."""
        if stamp < self._last.get(name, stamp):
            return False
        self._last[name] = stamp
        # Topics overtake each other: what belongs before the episode may come after its start.
        if stamp > self._taken and (self._start is None or stamp >= self._start):
            self._pending.setdefault(stamp, {})[name] = value
            while len(self._pending) > KEPT:
                del self._pending[min(self._pending)]
        return True

    def take(self) -> Parts | None:
        """Return the oldest control period if it is complete."""
        if self._start is None or not self._pending:
            return None
        stamp = min(self._pending)
        parts = self._pending[stamp]
        wanted = self._wanted(period_index(stamp, self._start, self._period))
        if JOINTS not in parts or not all(name in parts for name in wanted):
            return None
        del self._pending[stamp]
        self._taken = stamp
        return Parts(parts.pop(JOINTS), parts)


class RealtimeAssembler:
    """Hands out the newest of everything once what is wanted is fresh; what came between is dropped.

    Parts carry their own capture stamps: those of one set lie within 0.6 control periods of each other
    and within `max_age` ns of the newest joints. Where nothing but joints is wanted, these must be fresh;
    elsewhere they need not: waiting for the next ones would put every answer off by a control period.
    """

    def __init__(self, wanted: Wanted, period: int, max_age: int) -> None:
        self._wanted, self._period, self._max_age = wanted, period, max_age
        self._start: int | None = None
        self._newest: dict[str, tuple[int, Any]] = {}
        self._used: dict[str, int] = {}

    def begin(self, start: int) -> None:
        """Begin an episode at a stamp; what is older is forgotten, and what a clock set back has left.

        That the last episode is over may have been missed.
        """
        self._start = start
        latest = start + self._max_age
        self._newest = {name: entry for name, entry in self._newest.items() if start <= entry[0] <= latest}
        self._used = {name: stamp for name, stamp in self._used.items() if stamp < start}

    def end(self) -> None:
        """End the episode; the next one's stamps may be earlier, if a clock has been set."""
        self._start = None
        self._newest.clear()
        self._used.clear()

    def add(self, name: str, stamp: int, value: Any) -> bool:
        """Take a part; False, and nothing done, if its stamp lies before the last one of its name."""
        last = self._newest[name][0] if name in self._newest else self._used.get(name, stamp)
        if stamp < last:
            return False
        if self._start is None or stamp >= self._start:
            self._newest[name] = (stamp, value)
        return True

    def take(self) -> Parts | None:
        """Return the newest joints and every fresh part, if all that is wanted is among them."""
        if self._start is None or JOINTS not in self._newest:
            return None
        now, joints = self._newest[JOINTS]
        fresh = {
            name: entry
            for name, entry in self._newest.items()
            if name != JOINTS and entry[0] > self._used.get(name, -1) and now - entry[0] <= self._max_age
        }
        wanted = self._wanted(period_index(now, self._start, self._period))
        if not all(name in fresh for name in wanted):
            return None
        if not wanted and now <= self._used.get(JOINTS, -1):
            return None
        stamps = [fresh[name][0] for name in wanted]
        if stamps and max(stamps) - min(stamps) > 0.6 * self._period:
            return None
        self._used[JOINTS] = now
        self._used.update({name: entry[0] for name, entry in fresh.items()})
        return Parts(joints, {name: entry[1] for name, entry in fresh.items()})
