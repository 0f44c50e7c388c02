"""When a frame was captured, on the wall clock, from what its device says of it."""

from __future__ import annotations

from collections import deque

from sinew_core.types import NANOSECONDS

WINDOW = 10 * NANOSECONDS  # over which the quickest frame tells the offset; clocks drift by less than 1 ms
STEP = NANOSECONDS  # a clock that differs by more than this was set, or the device started again
SMALLEST = 1000  # ns between two stamps: devices count microseconds


class CaptureClock:
    """Maps a device's capture times onto the wall clock, both in ns.

    A device that knows the wall clock is believed. Of any other one the offset between the clocks is the
    smallest difference between arrival and capture seen of late: what comes later was only delayed on its
    way. The least delay itself cannot be seen from here; `latency` (ns) is what is known of it.
    """

    def __init__(self, latency: int = 0) -> None:
        self._latency = latency
        self._least: deque[tuple[int, int]] = deque()  # (capture, offset), both rising: the front is least
        self._last: int | None = None

    def of_wall(self, capture: int) -> int:
        """Return the stamp of a frame whose device knows the wall clock."""
        return self._rising(capture)

    def of_device(self, capture: int, arrival: int) -> int:
        """Return the stamp of a frame by its device's own clock and its arrival by the wall clock."""
        least, offset = self._least, arrival - capture
        if least and (abs(offset - least[0][1]) > STEP or capture < least[-1][0]):
            least.clear()
        while least and least[-1][1] >= offset:
            least.pop()
        least.append((capture, offset))
        while capture - least[0][0] > WINDOW:
            least.popleft()
        return self._rising(capture + least[0][1] - self._latency)

    def _rising(self, stamp: int) -> int:
        """Return the stamp, or just after the last one if a better offset would turn it back."""
        if self._last is not None and 0 <= self._last - stamp < STEP:
            stamp = self._last + SMALLEST
        self._last = stamp
        return stamp
