"""A disk of two megabytes; where none may be mounted, a limit on the size of this process's files."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from pathlib import Path

ROOM = 2 << 20  # bytes


class SmallDisk:
    """A folder that is soon full; `fill` makes it so at once, `close` ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
        self._mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if not self._mounted:
            self._limit(ROOM // 2)

    def fill(self) -> None:
        """Leave no room for anything."""
        if not self._mounted:
            self._limit(1000)
            return
        with (self.folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 12))

    def lift(self) -> None:
        """Let other folders be written."""
        self._limit(self._before[0])

    def close(self) -> None:
        """Give everything back."""
        self.lift()
        signal.signal(signal.SIGXFSZ, self._handler)
        if self._mounted:
            subprocess.run(["umount", str(self.folder)], check=True)

    def _limit(self, size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._before[1]))
