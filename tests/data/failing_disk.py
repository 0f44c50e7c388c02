"""A disk that fails at a chosen moment, or takes its time."""

from __future__ import annotations

import errno
import io
import os
import threading
from pathlib import Path

import pytest
from sinew_data import open_file


class FailingDisk:
    """Stands between a writer and its file: full after so many bytes, or stalled until let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int = 1 << 62) -> None:
        self.room = room
        self.go = threading.Event()
        self.go.set()
        original = open_file.create_locked
        disk = self

        class File(io.FileIO):
            def write(self, data: object) -> int:  # type: ignore[override]
                disk.go.wait()
                view = memoryview(data)[: disk.room]  # type: ignore[arg-type]
                if not view:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                disk.room -= len(view)
                return super().write(view)

        def create(path: Path) -> io.FileIO:
            stream = original(path)
            return File(os.dup(stream.fileno()), "wb")

        monkeypatch.setattr(open_file, "create_locked", create)
