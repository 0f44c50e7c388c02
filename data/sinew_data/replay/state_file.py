"""The counters of a buffer on disk: how many rows are whole, and how many of them are surely on the disk.

After a kill every write that was made is there. After a power cut (another boot of the machine) any part
of what was not synced may be missing, so only synced rows count.
"""

from __future__ import annotations

import logging
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sinew_data.replay.errors import ReplayError

log = logging.getLogger(__name__)
MAGIC = b"sinewrpl"
FORM = struct.Struct("<8s3q16s")  # magic, rows, high, synced, boot
ROWS, HIGH, SYNCED = 8, 16, 24  # offsets of the counters
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Counters:
    """What the file says."""

    rows: int
    high: int
    synced: int


def new_state() -> bytes:
    """Return the content of the file of an empty buffer."""
    return FORM.pack(MAGIC, 0, 0, 0, boot())


def load_state(handle: int, path: Path) -> Counters:
    """Read the counters; after another boot, what was not synced is given up, with a warning."""
    data = os.pread(handle, FORM.size + 1, 0)
    if len(data) != FORM.size:
        raise ReplayError(f"{path}: has {len(data)} bytes or more, expected {FORM.size}.")
    magic, rows, high, synced, booted = FORM.unpack(data)
    if magic != MAGIC or not 0 <= synced <= rows or high < 0:
        raise ReplayError(
            f"{path}: is not the state of a replay buffer: it begins with {magic!r} (expected {MAGIC!r}) "
            f"and counts {rows} rows, {synced} of them synced."
        )
    if booted != boot() and rows != synced:
        log.warning(
            "%s: the machine has been off since the last of %d rows; the last %d, which were not flushed, "
            "are left out.",
            *(path, rows, rows - synced),
        )
        high, rows = max(high, rows), synced
    store(handle, HIGH, high)
    store(handle, ROWS, rows)
    os.pwrite(handle, boot(), FORM.size - 16)
    return Counters(rows, high, synced)


def store(handle: int, counter: int, value: int) -> None:
    """Write one counter."""
    os.pwrite(handle, value.to_bytes(8, "little"), counter)


def boot() -> bytes:
    """Return what identifies this run of the machine's kernel; zeros where the kernel does not say."""
    if not BOOT_ID.is_file():
        return bytes(16)
    return UUID(BOOT_ID.read_text(encoding="ascii").strip()).bytes
