"""Carries an actor's transitions to its disk and to the learner, in a thread that control never waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from sinew_data.replay import Schema
from sinew_training.sending import Sending, SendingConfig
from sinew_training.spool import Entry, Spool
from sinew_training.weights import Weights, keep
from sinew_training.wire import Fragment, encode

Send = Callable[[Spool, Entry | None, bytes], None]
WAIT = 3.0  # s for what is under way, when the node goes


class Courier:
    """Owns the spool. Everything happens in one thread, in the order in which it was asked for."""

    def __init__(self, spool: Spool, send: Send, fail: Callable[[BaseException], None]) -> None:
        self._spool, self._send, self._fail = spool, send, fail
        self._sending = Sending(spool, SendingConfig())
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="courier")
        self._ticking: Future[None] | None = None
        self._closing = threading.Event()

    @property
    def waiting(self) -> int:
        """How many transitions have not been acknowledged."""
        return self._spool.waiting

    @property
    def silence(self) -> float:
        """For how many s the learner has not been heard."""
        return time.monotonic() - self._sending.heard

    @property
    def refusal(self) -> str:
        """Why the learner takes nothing; empty: it does."""
        return self._sending.refusal

    def begin(self) -> None:
        """Hold what comes from now on until the episode's end."""
        self._do(self._spool.hold)

    def give(self, fragment: Fragment, schema: Schema) -> None:
        """Keep a fragment."""
        self._do(lambda: self._spool.append(encode(fragment, schema), len(fragment)))

    def release(self) -> None:
        """Let the episode be sent."""
        self._do(self._spool.release)
        self.tick(listened=True)

    def discard(self) -> None:
        """Forget the episode."""
        self._do(self._spool.discard)
        self._do(self._spool.release)

    def acknowledged(self, sequence: int, refusal: str) -> None:
        """Take what the learner says."""
        self._do(lambda: self._sending.acknowledged(sequence, refusal, time.monotonic()))
        self.tick(listened=True)

    def tick(self, *, listened: bool) -> None:
        """Send what is due, if anybody listens."""
        if listened and (self._ticking is None or self._ticking.done()):
            self._ticking = self._do(self._tick)

    def keep_weights(self, folder: Path, weights: Weights) -> None:
        """Write weights for a restart."""
        self._do(lambda: keep(folder, weights))

    def close(self) -> None:
        """Wait for the disk and close the spool; more than once does nothing."""
        if self._closing.is_set():
            return
        closing = self._do(self._spool.close)
        self._closing.set()
        self._worker.shutdown(wait=False)
        if closing is not None:
            closing.exception(timeout=WAIT)

    def _tick(self) -> None:
        now = time.monotonic()
        for entry in self._sending.due(now):
            self._send(self._spool, entry, self._spool.read(entry))
        if self._sending.greets(now):
            self._send(self._spool, None, b"")

    def _do(self, work: Callable[[], object]) -> Future[None] | None:
        if self._closing.is_set():
            return None

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                self._fail(error)

        return self._worker.submit(guarded)
