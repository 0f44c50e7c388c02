"""`sinew teleop` on a pseudo-terminal of 80 by 24, and what its screen says."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable
from fcntl import ioctl

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
HOME = "\x1b[H"  # what each picture begins with


class Screen:
    """A person before the command's terminal."""

    def __init__(self, *options: str, rows: int = 24, columns: int = 80) -> None:
        self.pid, self._line = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            code = "import sys; from sinew_core.cli import main; sys.exit(main(['teleop', *sys.argv[1:]]))"
            os.execv(sys.executable, [sys.executable, "-c", code, *options])
        self.code: int | None = None
        self._said = ""

    @property
    def text(self) -> str:
        """The last whole picture, or what was said before the first one."""
        said, *pictures = self._said.split(HOME)  # the last may still be half drawn
        return ESCAPES.sub("", pictures[-2] if len(pictures) > 1 else said)

    @property
    def everything(self) -> str:
        return ESCAPES.sub("", self._said)

    @property
    def tip(self) -> tuple[float, float, float]:
        found = re.search(r"x ([+-][\d.]+)  y ([+-][\d.]+)  z ([+-][\d.]+)", self.text)
        assert found is not None, self.text
        x, y, z = (float(part) for part in found.groups())
        return x, y, z

    def owner(self, name: str) -> bool:
        return f" {name.upper()} " in self.text.partition("episode")[0]

    def type(self, keys: str) -> None:
        os.write(self._line, keys.encode())

    def wait_for(self, ready: Callable[[], object], key: str = "", timeout: float = 60.0) -> None:
        """Look at the screen until something is so; `key` repeats meanwhile."""
        deadline = time.monotonic() + timeout
        while not ready():
            assert time.monotonic() < deadline and not self._ended(), self.everything[-4000:]
            if key:
                self.type(key)
            self._look(0.03)

    def end(self) -> int:
        """Wait for the command's end; returns its exit code."""
        deadline = time.monotonic() + 30
        while self.code is None:
            assert time.monotonic() < deadline, self.everything[-4000:]
            self._look(0.05)
            self._ended()
        return self.code

    def _ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def close(self) -> None:
        if self.code is None:
            os.kill(self.pid, 15)
            self.end()
        os.close(self._line)

    def _look(self, seconds: float) -> None:
        if not select.select([self._line], [], [], seconds)[0]:
            return
        try:
            self._said += os.read(self._line, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            time.sleep(seconds)
