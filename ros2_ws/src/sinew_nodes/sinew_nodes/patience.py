"""Notices, in a thread of its own, that a model has not answered in time, though it still computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sinew_core.errors import InferenceError


class Patience:
    """Calls `give_up` once with an InferenceError for a question that takes longer than `limit` s."""

    def __init__(self, limit: float, give_up: Callable[[InferenceError], None]) -> None:
        self._limit, self._give_up = limit, give_up
        self._pending: tuple[str, float] | None = None  # who was asked, and when, s
        self._told: tuple[str, float] | None = None  # the question that was given up last
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="patience", daemon=True)
        self._thread.start()

    @contextmanager
    def asked(self, who: str) -> Iterator[None]:
        """Watch over what is called in this context; InferenceError at its end if that came too late."""
        pending = self._pending = who, time.monotonic()
        try:
            yield
        finally:
            self._pending = None
        if self._told is pending:
            raise InferenceError(f"{who}: gave its estimate after {time.monotonic() - pending[1]:.1f} s")

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._closed.wait(self._limit / 4):
            pending = self._pending
            if pending is None or pending is self._told or time.monotonic() - pending[1] < self._limit:
                continue
            self._told = pending
            self._give_up(InferenceError(f"{pending[0]}: gave no estimate within {self._limit:g} s"))
