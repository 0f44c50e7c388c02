"""Signals that end or suspend a process while a terminal is read key by key."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sinew_teleop.terminal import RawTerminal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LOOK = 0.1  # s between looks at whose the terminal is
GRACE = 1.0  # s for the thread that looks to end


class _ForegroundWaiter:
    """Takes the terminal again once it is this process's: a shell sends no signal for a `fg` after `bg`."""

    def __init__(self, terminal: RawTerminal, resume: Callable[[], None]) -> None:
        self._terminal, self._resume = terminal, resume
        self._asked, self._ended = threading.Event(), False
        self._thread = threading.Thread(target=self._wait, name="foreground", daemon=True)
        self._thread.start()

    def set(self) -> None:
        """Begin to wait."""
        self._asked.set()

    def end(self) -> None:
        """Wait for nothing any more."""
        self._ended = True
        self._asked.set()
        self._thread.join(timeout=GRACE)

    def _wait(self) -> None:
        while True:
            self._asked.wait()
            while not self._ended and not self._terminal.in_foreground:
                time.sleep(LOOK)
            if self._ended:
                return
            self._asked.clear()
            self._terminal.resume()
            self._resume()


@contextmanager
def guarded(
    terminal: RawTerminal,
    suspend: Callable[[], None] = lambda: None,
    resume: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Keep the terminal whole inside the block; only the main thread may enter it.

    A signal that would end the process gives the settings back first; one that somebody handles is left to
    them. Ctrl-Z gives them back, too, and calls `suspend` before the process stops; `fg` takes them again
    and calls `resume`, as after any other stop; after `bg` that waits for the next `fg`. On leaving the
    block the terminal is closed.
    """
    waiter = _ForegroundWaiter(terminal, resume)

    def end(number: int, frame: FrameType | None) -> None:
        terminal.restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def go_on(number: int, frame: FrameType | None) -> None:
        waiter.set()

    def pause(number: int, frame: FrameType | None) -> None:
        suspend()
        terminal.restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # takes effect here; what follows runs after SIGCONT
        signal.signal(signal.SIGTSTP, pause)
        go_on(number, frame)  # the system may have ignored it, where nobody could wake the process

    previous: dict[int, Any] = {}
    for number in ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            previous[number] = signal.signal(number, end)
    previous[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, pause)
    previous[signal.SIGCONT] = signal.signal(signal.SIGCONT, go_on)
    previous[signal.SIGTTOU] = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # settings from the background
    try:
        yield
    finally:
        waiter.end()
        terminal.close()
        for handled, handler in previous.items():
            signal.signal(handled, handler)
