"""A terminal read key by key, whose settings come back whatever happens."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import sys
import termios
from typing import Any

from sinew_core.errors import ConfigError

LFLAG, IFLAG = 3, 0  # places in what tcgetattr returns
CHUNK = 1024  # bytes


class RawTerminal:
    """Reads bytes as they are typed, unechoed. Ctrl-C and Ctrl-Z stay signals; Ctrl-S stops nothing.

    `close` brings the settings back; so does the end of the process, but for SIGKILL. See
    `terminal_signals` for the signals that end or suspend it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._cooked: list[Any] | None = None
        self.gone = False

    def open(self) -> None:
        """Switch to reading keys; raises ConfigError where there is no terminal."""
        try:
            self._cooked = termios.tcgetattr(self._descriptor)
        except (termios.error, OSError, ValueError) as error:
            raise ConfigError(
                "there is no terminal to read keys from: standard input is a file, a pipe or closed. "
                "Run this in a terminal (over SSH: `ssh -t`), or use another teleop source."
            ) from error
        atexit.register(self.restore)
        self.resume()

    def resume(self) -> None:
        """Read keys again after `restore`."""
        if self._cooked is None or self.gone:
            return
        raw = [*self._cooked[:6], list(self._cooked[6])]
        raw[LFLAG] &= ~(termios.ICANON | termios.ECHO)
        raw[IFLAG] &= ~(termios.IXON | termios.ICRNL)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0
        self._set(raw)

    def restore(self) -> None:
        """Bring the terminal's own settings back, for the time being or for good."""
        if self._cooked is not None:
            self._set(self._cooked)

    def close(self) -> None:
        """Bring the settings back for good; safe to call more than once."""
        self.restore()
        self._cooked = None
        atexit.unregister(self.restore)

    @property
    def in_foreground(self) -> bool:
        """Whether the terminal's keys are meant for this process."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # not the terminal that this process was started from
            return True

    def read(self) -> bytes:
        """Return what was typed since the last call, never waiting; `gone` tells of a hang-up."""
        if self._cooked is None or self.gone:
            return b""
        try:
            if not select.select([self._descriptor], [], [], 0.0)[0]:
                return b""
            typed = os.read(self._descriptor, CHUNK)
        except (OSError, ValueError):  # EIO: hung up
            typed = b""
        self.gone = not typed  # readable, but nothing to read: the end
        return typed

    def _set(self, settings: list[Any]) -> None:
        with contextlib.suppress(termios.error, OSError):  # the terminal may be gone
            termios.tcsetattr(self._descriptor, termios.TCSANOW, settings)


def open_terminal(descriptor: int | None = None) -> RawTerminal:
    """Open standard input, or another descriptor, as a terminal; raises ConfigError where it is none."""
    if descriptor is None:
        try:
            descriptor = sys.stdin.fileno()
        except (AttributeError, OSError, ValueError):  # closed, or replaced by something without one
            descriptor = -1
    terminal = RawTerminal(descriptor)
    terminal.open()
    return terminal
