"""What a node tells of itself once a second: its state, rate, processing time and errors."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from sinew_core.types import NANOSECONDS

SANE_AGE = 10.0  # s; a stamp further from the wall clock is of a simulated one


class Meter:
    """Collects figures between two reports. Not thread-safe beyond single appends."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # over the node's life
        self.error = ""  # the last one
        self._series: dict[str, list[float]] = {}  # s
        self._since = time.monotonic()

    def done(self, seconds: float, capture_stamp: int | None = None) -> None:
        """Note one unit of work, and the stamp of what it was done on."""
        self.note("processing", seconds)
        self.counts["processed"] += 1
        if capture_stamp is not None:
            age = (time.time_ns() - capture_stamp) / NANOSECONDS
            if 0 <= age < SANE_AGE:
                self.note("age", age)

    def note(self, series: str, seconds: float) -> None:
        """Note a duration under a name."""
        self._series.setdefault(series, []).append(seconds)

    def status(self, name: str, state: str) -> DiagnosticStatus:
        """Return the report and begin anew."""
        now = time.monotonic()
        series, self._series, elapsed = self._series, {}, now - self._since
        self._since = now
        values = {"state": state, "rate_hz": f"{len(series.get('processing', ())) / elapsed:.1f}"}
        for key, samples in series.items():
            values[f"{key}_ms"] = f"{1000 * float(np.median(samples)):.3f}"
            values[f"{key}_max_ms"] = f"{1000 * max(samples):.3f}"
        values.update({key: str(count) for key, count in sorted(self.counts.items())})
        if self.error:
            values["last_error"] = self.error
        level = DiagnosticStatus.ERROR if self.error else DiagnosticStatus.OK
        return DiagnosticStatus(
            level=level,
            name=name,
            message=self.error or state,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
