"""Shows the situation while a session lasts: a screen on a terminal, lines elsewhere.

It draws in a thread of its own: a terminal that hangs delays nobody but the drawer. What libraries write
to standard output and error meanwhile goes to a file.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from rich.console import Console

from sinew_nodes.teleop_screen import Run, render
from sinew_nodes.teleop_situation import Situation

RATE = 8.0  # Hz
GRACE = 0.5  # s that the drawer may take to end
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[2J"  # the other screen, no cursor, cleared
LEAVE = b"\x1b[?25h\x1b[?1049l"

Look = Callable[[], tuple[Situation, Run, bool]]  # what there is, and whether help is wanted


class Display:
    """Draws what `look` returns from `start` to `close`."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._ending = threading.Event()
        self._drawing = threading.Lock()
        self._paused = False
        self._thread = threading.Thread(target=self._draw, name="screen", daemon=True)
        self._size = (0, 0)
        self._lines: tuple[str, ...] = ()
        self.log: Path | None = None

    def start(self) -> None:
        """Take the terminal over, if standard output is one."""
        self._screen = sys.stdout.isatty()
        sys.stdout.flush()
        self._output = os.dup(1)
        self._error = os.dup(2)
        if self._screen:
            handle, path = tempfile.mkstemp(prefix="sinew-teleop-", suffix=".log")
            self.log = Path(path)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            os.close(handle)
            self._write(ENTER)
        self._thread.start()

    def close(self, *, keep_log: bool = False) -> None:
        """Give the terminal back."""
        self._ending.set()
        self._thread.join(timeout=GRACE)
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        if self._screen:
            if not self._thread.is_alive() and not self._paused:  # else the terminal hangs
                self._write(LEAVE)
            os.dup2(self._output, 1)
            os.dup2(self._error, 2)
        for descriptor in (self._output, self._error):
            if not self._thread.is_alive():
                os.close(descriptor)
        if self.log is not None and not keep_log:
            self.log.unlink(missing_ok=True)

    def __enter__(self) -> Display:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back; after an error the log stays."""
        self.close(keep_log=error is not None and isinstance(error, Exception))

    def pause(self) -> None:
        """Leave the screen to the shell; for a signal's handler."""
        self._switch(LEAVE, paused=True)

    def resume(self) -> None:
        """Take it back."""
        self._size = (0, 0)
        self._switch(ENTER, paused=False)

    def _switch(self, sequence: bytes, *, paused: bool) -> None:
        held = self._drawing.acquire(timeout=GRACE)
        changed, self._paused = self._paused != paused, paused
        if held:
            if self._screen and changed:
                self._write(sequence)
            self._drawing.release()

    def _draw(self) -> None:
        while not self._ending.wait(1.0 / RATE):
            with self._drawing:
                if not self._paused:
                    self._draw_screen() if self._screen else self._print_changes()

    def _draw_screen(self) -> None:
        size = self._terminal_size()
        cleared = b"" if size == self._size else b"\x1b[2J"
        self._size = size
        self._write(cleared + b"\x1b[H" + frame(*self._look(), *size).encode())

    def _terminal_size(self) -> tuple[int, int]:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._output)
            if columns and rows:
                return columns, rows
        return 80, 24

    def _print_changes(self) -> None:
        """Write a line for each thing that has changed."""
        seen, run, _ = self._look()
        lines = (f"{seen.owner}: {seen.reason}" if seen.owner else "", seen.last, seen.said, run.phase)
        for line, before in zip(lines, self._lines or ("",) * len(lines), strict=True):
            if line and line != before:
                self._write(f"{line}\n".encode())
        self._lines = lines

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone
            while data:
                data = data[os.write(self._output, data) :]


def frame(seen: Situation, run: Run, helping: bool, columns: int, rows: int) -> str:
    """Return one picture of the screen as text with colours, without a newline at its end."""
    text = io.StringIO()
    console = Console(
        file=text, force_terminal=True, width=columns, height=rows, legacy_windows=False, highlight=False
    )
    console.print(render(seen, run, helping=helping), end="")
    return text.getvalue().rstrip("\n")
