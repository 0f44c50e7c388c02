"""Notices, in a thread of its own, that the control loop stands still: a device does not answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sinew_core.authority import Action
from sinew_core.protocols import Station

from sinew_nodes.control_period import CONTROL, ControlPeriod

log = logging.getLogger(__name__)


class ControlWatch:
    """Does the watchdog's action while a control period is overdue, and says so in the loop's place.

    A stop that is asked for meanwhile reaches the arm beside the loop.
    """

    def __init__(
        self, period: ControlPeriod, station: Station, action: Action, interval: float, now: Callable[[], int]
    ) -> None:
        self._period, self._station, self._action = period, station, action
        self._interval, self._now = interval, now
        self._told = self._stopped = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._closed.wait(self._interval):
            overdue = self._period.overdue()
            if overdue:
                self._act(overdue)
            else:
                self._told = self._stopped = False

    def _act(self, overdue: str) -> None:
        authority = self._period.path.authority
        if not self._told:  # once: the loop itself releases it when it goes on
            self._told = True
            authority.trip(self._action, CONTROL, overdue, time.monotonic_ns())
        if authority.state.stopped and not self._stopped:
            self._stopped = True
            log.warning("%s; the arm is stopped beside it", overdue)
            try:
                self._station.arm.stop()
            except Exception:  # whatever it is, the watch goes on
                log.exception("the arm cannot be stopped")
        self._period.tell(self._now())
