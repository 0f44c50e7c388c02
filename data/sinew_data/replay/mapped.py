"""Rows on disk: one raw file for each column, read through a memory map and written by plain writes.

A write through a map to a part of a file that has no block yet would end the process by SIGBUS when the
disk is full; a plain write is an error that can be told. Both see the same pages. The files have their
full size from the start and take room on the disk only where they were written.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from sinew_data.replay.description import SCHEMA, Description, read_description, write_description
from sinew_data.replay.errors import ReplayError
from sinew_data.replay.layout import AnyArray, Field, fields
from sinew_data.replay.state_file import HIGH, ROWS, SYNCED, load_state, new_state, store

STATE, LOCK = "state.bin", "lock"


class MappedStorage:
    """Slots in the files of a folder, which nobody else has open."""

    def __init__(
        self, folder: Path, description: Description, files: contextlib.ExitStack, state: int
    ) -> None:
        self._folder, self._files, self._state = folder, files, state
        self.slots = description.slots
        self.rows = self.high = 0
        self._fields = fields(description.schema)
        self._handles: dict[str, int] = {}
        self.arrays: Mapping[str, AnyArray] = {}

    def append(self, row: Mapping[str, AnyArray]) -> None:
        """Write a row, then count it; a full disk is a ReplayError, and the row is not there."""
        slot = self.rows % self.slots
        with told(self._folder):
            for name, value in row.items():
                content = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
                _write(self._handles[name], content.data, slot * self._fields[name].row_bytes)
            store(self._state, ROWS, self.rows + 1)
        self.rows += 1
        self.high = max(self.high, self.rows)

    def retract(self, rows: int) -> None:
        """Count only the first `rows` from now on; lasts at once, before others take their places."""
        self.high = max(self.high, self.rows + 1)
        with told(self._folder):
            store(self._state, HIGH, self.high)
            store(self._state, SYNCED, min(rows, self.rows))
            store(self._state, ROWS, rows)
            os.fdatasync(self._state)
        self.rows = rows

    def flush(self) -> None:
        """Put every row on the disk, then say so; more may be appended meanwhile."""
        rows = self.rows
        with told(self._folder):
            for handle in self._handles.values():
                os.fdatasync(handle)
            store(self._state, HIGH, self.high)
            store(self._state, SYNCED, rows)
            os.fdatasync(self._state)

    def close(self) -> None:
        """Release files and lock. The maps go with the last array that looks into them."""
        self.arrays = {}
        self._files.close()

    def open_columns(self) -> None:
        """Open and map every column; ReplayError for a file that is missing or of another size."""
        arrays: dict[str, AnyArray] = {}
        for name, field in self._fields.items():
            path = self._folder / f"{name}.bin"
            self._handles[name] = open_handle(path, self._files)
            arrays[name] = _map(self._handles[name], path, field, self.slots)
        self.arrays = arrays
        counters = load_state(self._state, self._folder / STATE)
        self.rows, self.high = counters.rows, max(counters.high, counters.rows)


def create_mapped(folder: Path, description: Description) -> MappedStorage:
    """Make the files of an empty buffer in a folder that is empty or not there, and open them."""
    with contextlib.ExitStack() as files:
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _lock(folder, files)
            _check_empty(folder, description)
            for name, field in fields(description.schema).items():
                _make(folder / f"{name}.bin", b"", field.row_bytes * description.slots)
            _make(folder / STATE, new_state(), len(new_state()))
            write_description(folder, description)
        return _open(folder, description, files.pop_all())


def open_mapped(folder: Path) -> tuple[Description, MappedStorage]:
    """Open what a folder holds; ReplayError where that is no buffer, a damaged one or in use."""
    description = read_description(folder)
    with contextlib.ExitStack() as files:
        _lock(folder, files)
        return description, _open(folder, description, files.pop_all())


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn what the system says about a file into a sentence with the folder's name."""
    try:
        yield
    except OSError as error:
        name = error.filename if error.filename is not None else folder
        raise ReplayError(f"{name}: {error.strerror}. What the buffer held before is untouched.") from error


def open_handle(path: Path, files: contextlib.ExitStack, flags: int = 0) -> int:
    """Open a file to read and write until `files` is closed."""
    with told(path):
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o666)
    files.callback(os.close, handle)
    return handle


def _open(folder: Path, description: Description, files: contextlib.ExitStack) -> MappedStorage:
    try:
        storage = MappedStorage(folder, description, files, open_handle(folder / STATE, files))
        storage.open_columns()
    except BaseException:
        files.close()
        raise
    return storage


def _lock(folder: Path, files: contextlib.ExitStack) -> None:
    handle = open_handle(folder / LOCK, files, os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ReplayError(f"{folder}: is open already, in this process or in another one.") from error


def _check_empty(folder: Path, description: Description) -> None:
    """Refuse a folder with anything in it but what a creation that was broken off may have left."""
    own = {LOCK, STATE, f".{SCHEMA}.tmp", *(f"{name}.bin" for name in fields(description.schema))}
    if (folder / SCHEMA).exists():
        raise ReplayError(f"{folder}: holds a replay buffer ({SCHEMA}) already; open it, or choose another.")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own)
    if foreign:
        raise ReplayError(f"{folder}: expected an empty folder; it holds {', '.join(foreign[:5])}.")


def _make(path: Path, content: bytes, size: int) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.truncate(size)
        stream.flush()
        os.fsync(stream.fileno())


def _map(handle: int, path: Path, field: Field, slots: int) -> AnyArray:
    size, expected = os.fstat(handle).st_size, field.row_bytes * slots
    if size != expected:
        raise ReplayError(
            f"{path}: has {size} bytes, expected {expected}: {slots} rows of {field.row_bytes}."
        )
    memory = mmap.mmap(handle, size, access=mmap.ACCESS_READ)
    return np.frombuffer(memory, field.dtype).reshape(slots, *field.shape)


def _write(handle: int, content: memoryview, offset: int) -> None:
    """Write everything: what a first write leaves out, a second one either writes or gives the reason."""
    while content:
        written = os.pwrite(handle, content, offset)
        content, offset = content[written:], offset + written
