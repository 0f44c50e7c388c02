"""Brings back episodes that were never finished, from what their files in `unfinished/` hold.

The repaired file is written aside, synced and renamed; only then is the original removed. A repair that is
killed leaves the original as it was.
"""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sinew_core.files import sync_folder

from sinew_data.episode import END, EpisodeEnd, to_metadata
from sinew_data.errors import EpisodeError
from sinew_data.layout import DISCARDED, EPISODES, SUFFIX, UNFINISHED, episode_path
from sinew_data.mcap_file import McapFile
from sinew_data.reader import open_episode
from sinew_data.salvage import salvage
from sinew_data.salvaged_copy import SalvagedCopy

ASIDE = ".repair"  # a file of this suffix is a repair under way, or one that was killed


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of an unfinished file: repaired to `target`, or left alone for a `reason`."""

    source: Path
    target: Path | None = None
    reason: str = ""
    messages: int = 0
    recording: bool = False  # its writer lives
    damage: tuple[str, ...] = ()  # what could not be read


def unfinished(dataset: Path) -> list[Path]:
    """Return the files that are being recorded, or were left by a crash."""
    return sorted((dataset / UNFINISHED).glob(f"*{SUFFIX}"))


def repair_file(dataset: Path, source: Path) -> Repair:
    """Repair one unfinished file, unless its writer lives or it holds nothing; raises OSError."""
    with source.open("rb") as stream:
        if not _lock(stream):
            return Repair(source, reason="is being recorded", recording=True)
        end = _finished(source)
        if end is not None:
            target = _move(dataset, source, source, end)
            return Repair(source, target, "was finished, and only not moved yet")
        with _aside(source) as (path, file):
            return _rebuild(dataset, source, stream, path, file)


def _lock(stream: BinaryIO | io.FileIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _finished(source: Path) -> EpisodeEnd | None:
    """Return how a file ended that has its end and its summary."""
    try:
        with open_episode(source) as episode:
            return episode.summary.end
    except EpisodeError:
        return None


@contextmanager
def _aside(source: Path) -> Iterator[tuple[Path, io.FileIO]]:
    """Open the file that a repair is written to; it is gone afterwards, unless it was moved."""
    path = source.with_suffix(ASIDE)
    with io.FileIO(path, "wb") as file:
        try:
            yield path, file
        finally:
            path.unlink(missing_ok=True)


def _rebuild(dataset: Path, source: Path, stream: BinaryIO, path: Path, file: io.FileIO) -> Repair:
    copy = SalvagedCopy(McapFile(file))
    for piece in salvage(stream):
        copy.take(piece)
    damage = tuple(f"at {place.offset}: {place.sentence}" for place in copy.damage)
    if not copy.started:
        return Repair(source, reason="does not say what episode it is", damage=damage)
    if not copy.messages:
        return Repair(source, reason="holds no message", damage=damage)
    end = copy.end if copy.end is not None else copy.interrupted()
    copy.file.add_metadata(END, to_metadata(replace(end, repaired=True)))
    copy.file.finish()
    os.fsync(file.fileno())
    target = _move(dataset, source, path, end)
    source.unlink()
    sync_folder(source.parent)
    return Repair(source, target, messages=copy.messages, damage=damage)


def _move(dataset: Path, source: Path, path: Path, end: EpisodeEnd) -> Path:
    """Move a whole file to where its outcome says.

    An earlier repair of the same source that was killed may have done so already; this one replaces it.
    """
    target = episode_path(dataset, DISCARDED if end.outcome == "discarded" else EPISODES, source.stem)
    target.parent.mkdir(exist_ok=True)
    path.replace(target)
    sync_folder(target.parent)
    sync_folder(path.parent)
    return target
