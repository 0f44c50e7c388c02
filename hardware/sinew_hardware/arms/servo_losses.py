"""How long an arm that does not answer is waited for, and a port that is gone."""

from __future__ import annotations

import logging
import time

from sinew_core.errors import DeviceError

log = logging.getLogger(__name__)
PATIENCE = 3  # readings in a row that may fail before the arm counts as failed
REOPEN = 0.5  # s between attempts to open a port that is gone
TELL_EVERY = 10.0  # s between warnings of failed readings


class Misses:
    """Counts readings that failed, and warns of them now and then."""

    def __init__(self) -> None:
        self._row, self._all, self._told = 0, 0, float("-inf")
        self.sentence = ""  # on the servo that is to blame, once patience is over

    @property
    def patient(self) -> bool:
        """Whether so few have failed in a row that the last good reading still counts."""
        return self._row <= PATIENCE

    def add(self, name: str) -> bool:
        """Count one, which a servo is to blame for; return whether patience has just ended."""
        self._row += 1
        self._all += 1
        now = time.monotonic()
        if now - self._told > TELL_EVERY:
            log.warning("arm: %s was not read; %d failed readings so far", name, self._all)
            self._told = now
        return self._row == PATIENCE + 1

    def end(self) -> None:
        """Note that a reading was good."""
        if not self.patient:
            log.warning("arm: answers again after %d failed readings", self._row)
        self._row = 0


class Loss:
    """A port that is gone: since when, and when to try again."""

    def __init__(self) -> None:
        self._since, self.sentence = 0.0, ""

    def __bool__(self) -> bool:
        """Whether it is gone."""
        return self._since > 0

    def begin(self, error: DeviceError) -> None:
        """Note that it is gone, and why; what was noted first stands."""
        if not self:
            log.error("%s", error)
            self._since, self.sentence = time.monotonic(), str(error)

    def try_again(self) -> None:
        """Return when it is time for another try; raises DeviceError with why it is gone otherwise."""
        if time.monotonic() - self._since < REOPEN:
            raise DeviceError(self.sentence)
        self._since = time.monotonic()

    def end(self) -> None:
        """Note that it is there again."""
        self._since = 0.0
