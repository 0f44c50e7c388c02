"""Copies episodes from datasets into another one, so that an interruption leaves whole episodes only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import sync_folder

from sinew_data.console import listed
from sinew_data.dataset import Dataset, DatasetEntry
from sinew_data.layout import DISCARDED, EPISODES, UNFINISHED
from sinew_data.rewards_beside_files import files_beside

BLOCK = 4 << 20  # bytes
ASIDE = ".copy"  # a file of this suffix is a copy under way, or one that was interrupted
OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a merge is going to do."""

    target: Path
    copies: tuple[Path, ...]
    there: tuple[Path, ...]  # already in the target, bit for bit
    unreadable: tuple[DatasetEntry, ...]

    @property
    def size(self) -> int:
        """Bytes to copy."""
        files = (one for path in self.copies for one in (*files_beside(path), path))
        return sum(one.stat().st_size for one in files)


def plan_merge(sources: Sequence[Dataset], target: Path, *, force: bool) -> Plan:
    """Return what to copy; ConfigError for different robots or other episodes of the same name.

    With `force`, robots may differ and what is of the same name is replaced.
    """
    if any(source.path.resolve() == target.resolve() for source in sources):
        raise ConfigError(f"{target}: cannot be merged into itself.")
    entries = [entry for source in sources for entry in source.entries()]
    if not force:
        _check_robots(entries, target)
    copies: dict[str, Path] = {}
    there = []
    for entry in entries:
        path, known = entry.path, copies.get(entry.path.name, target / EPISODES / entry.path.name)
        if entry.summary is None:
            continue
        if known.exists() and _same(path, known):
            there.append(path)
        elif known.exists() and not force:
            raise ConfigError(f"{path} differs from {known}, of the same name. --force replaces it.")
        else:
            copies[path.name] = path
    unreadable = tuple(entry for entry in entries if entry.summary is None)
    return Plan(target, tuple(copies.values()), tuple(there), unreadable)


def _check_robots(entries: Sequence[DatasetEntry], target: Path) -> None:
    """Raise ConfigError unless all episodes, those in the target too, are of one robot."""
    robots: dict[tuple[str, ...], str] = {}
    present = Dataset(target).entries() if (target / EPISODES).is_dir() else ()
    for entry in (*entries, *present):
        if entry.summary is not None:
            start = entry.summary.start
            robots.setdefault((start.robot, *start.joints), f"{start.robot} (as in {entry.path})")
    if len(robots) > 1:
        raise ConfigError(f"different robots: {listed(robots.values())}. --force merges them all the same.")


def _same(one: Path, other: Path) -> bool:
    """Whether two files are equal, bit by bit."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(BLOCK):
            if block != second.read(BLOCK):
                return False
    return True


def copy_episodes(plan: Plan, on_bytes: OnBytes = lambda _: None) -> Iterator[Path]:
    """Copy one episode after the other; yield each that is there for good."""
    for name in (EPISODES, UNFINISHED, DISCARDED):
        (plan.target / name).mkdir(parents=True, exist_ok=True)
    folder = plan.target / EPISODES
    for source in plan.copies:
        for one in (*files_beside(source), source):
            _copy_whole(one, folder, on_bytes)
        sync_folder(folder)
        yield folder / source.name


def _copy_whole(source: Path, folder: Path, on_bytes: OnBytes) -> None:
    """Copy a file into a folder, where it appears whole or not at all."""
    aside = folder / f"{source.name}{ASIDE}"
    try:
        _copy(source, aside, on_bytes)
        aside.replace(folder / source.name)
    finally:
        aside.unlink(missing_ok=True)


def _copy(source: Path, target: Path, on_bytes: OnBytes) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(BLOCK):
            writer.write(block)
            on_bytes(len(block))
        writer.flush()
        os.fsync(writer.fileno())
