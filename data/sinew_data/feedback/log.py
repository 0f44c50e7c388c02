"""The feedback log on disk: JSON Lines that only grow; what is damaged is told, and hides nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import sync_folder

from sinew_data.feedback.types import Feedback
from sinew_data.feedback.wire import DamagedLineError, Item, Retraction, Unread, of_line, to_line


@dataclass(frozen=True, slots=True)
class Flaw:
    """A line that could not be used, by its number from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line: what it says, and its very bytes, without the end."""

    number: int
    item: Item
    raw: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a log holds."""

    entries: tuple[Feedback, ...]  # in the order of the file, without those taken back
    lines: tuple[Line, ...]  # every whole line, one an id
    damaged: tuple[Flaw, ...]
    repeated: int  # lines that say once more what another did, under the same id

    @property
    def unknown(self) -> tuple[Flaw, ...]:
        """The whole lines that this Sinew does not understand; they are kept."""
        return tuple(Flaw(x.number, x.item.reason) for x in self.lines if isinstance(x.item, Unread))


def append(path: Path, items: Sequence[Feedback | Retraction]) -> None:
    """Add entries, which are on the disk when this returns; ConfigError where they could not be added.

    Other processes may append at the same time. What a killed writer left half done stays on a line of
    its own.
    """
    lines = [to_line(item) for item in items]
    with _locked(path) as handle:
        _add(path, handle, lines)


def read(path: Path) -> Contents:
    """Return what a log holds; ConfigError where it cannot be read at all."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)  # or a line that is being written would look damaged
            return _contents(_all_of(handle))
        finally:
            os.close(handle)
    except OSError as error:
        raise ConfigError(f"{path}: the feedback log cannot be read ({error.strerror}).") from error


def add_missing(path: Path, sources: Iterable[tuple[Path, Contents]]) -> tuple[Line, ...]:
    """Append every whole line of other logs whose id is not there yet; return what was added.

    ConfigError, and nothing added, where two lines with one id say different things.
    """
    with _locked(path) as handle:
        there = {line.item.id: (path, line) for line in _contents(_all_of(handle)).lines}
        added: list[Line] = []
        for source, contents in sources:
            for line in contents.lines:
                where, known = there.setdefault(line.item.id, (source, line))
                if known is line:
                    added.append(line)
                elif not _same(known, line):
                    raise ConfigError(
                        f"entry '{line.item.id}' says one thing in line {known.number} of {where} and "
                        f"another in line {line.number} of {source}; nothing was merged."
                    )
        _add(path, handle, [line.raw for line in added])
        return tuple(added)


def _contents(data: bytes) -> Contents:
    lines: dict[str, Line] = {}
    damaged, repeated = [], 0
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw:
            continue
        try:
            line = Line(number, of_line(raw), raw)
        except DamagedLineError as error:
            damaged.append(Flaw(number, str(error)))
            continue
        known = lines.setdefault(line.item.id, line)
        if known is line:
            continue
        if _same(known, line):
            repeated += 1
        else:
            damaged.append(Flaw(number, f"its id is that of line {known.number}, which says something else."))
    gone = {line.item.entry for line in lines.values() if isinstance(line.item, Retraction)}
    entries = (line.item for line in lines.values() if isinstance(line.item, Feedback))
    kept = tuple(entry for entry in entries if entry.id not in gone)
    return Contents(kept, tuple(lines.values()), tuple(damaged), repeated)


def _same(one: Line, other: Line) -> bool:
    return one.item == other.item and (one.raw == other.raw or not isinstance(one.item, Unread))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Yield the log opened for reading and appending, made where it is missing, locked against others."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(f"{path}: the feedback log cannot be opened ({error.strerror}).") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _add(path: Path, handle: int, lines: Sequence[bytes]) -> None:
    """Write lines behind what is there; on failure what was there stays, and nothing of them."""
    if not lines:
        return
    end = os.fstat(handle).st_size
    torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
    data = (b"\n" if torn else b"") + b"".join(line + b"\n" for line in lines)
    try:
        _write(handle, data)
        os.fsync(handle)
        if end == 0:
            sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, end)
        raise ConfigError(
            f"{path}: the feedback could not be written ({error.strerror}); nothing of it was added, and "
            "what was there is whole."
        ) from error


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _all_of(handle: int) -> bytes:
    size, parts = 0, []
    while part := os.pread(handle, 1 << 20, size):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
