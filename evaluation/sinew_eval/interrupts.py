"""Ctrl-C at any moment: one KeyboardInterrupt, never a second one, never inside what must be finished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Turns the first SIGINT or SIGTERM into a KeyboardInterrupt, inside `interruptible` only.

    Everywhere else, and from the second on, a signal is remembered and raises nothing. To be used on the
    main thread.
    """

    def __init__(self) -> None:
        self.received = 0  # the first signal's number
        self._may_raise = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        """Take the signals over."""
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back; once interrupted they stay ignored, so that the exit code stands."""
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_IGN if self.received else handler)

    @property
    def exit_code(self) -> int:
        """What the shell expects of a program ended by this signal."""
        return 128 + self.received

    def check(self) -> None:
        """Raise the KeyboardInterrupt that is due, also one that somebody's callback swallowed."""
        if self.received:
            raise KeyboardInterrupt

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the first signal break off the body."""
        self.check()
        self._may_raise = True
        try:
            yield
        finally:
            self._may_raise = False

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Let the body, a part of an interruptible one, finish before a signal breaks off the rest."""
        before, self._may_raise = self._may_raise, False
        try:
            yield
        finally:
            self._may_raise = before
        if before:
            self.check()

    def _handle(self, number: int, _: FrameType | None) -> None:
        first = self.received == 0
        self.received = self.received or number
        if first and self._may_raise:
            self._may_raise = False
            raise KeyboardInterrupt
