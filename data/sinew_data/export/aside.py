"""A folder that is there as a whole or not at all: written aside, renamed at the end."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import sync_folder

PARTIAL, OLD = ".partial", ".old"


@contextmanager
def written_aside(target: Path, *, force: bool, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a folder beside `target` to write to; it gets that name when the body has ended well.

    Raises ConfigError for a target that is there already (with `force`: that is no export, by the word of
    `ours`) or that cannot be written. What an earlier, killed export left beside it is removed.
    """
    check_target(target, force=force, ours=ours)
    partial = _beside(target, PARTIAL)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        partial.mkdir()
        lock = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield partial
            _sync(partial)
            check_target(target, force=force, ours=ours)  # one may have come meanwhile
            _rename(partial, target)
            sync_folder(target.parent)
        finally:
            os.close(lock)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{target}: cannot be written ({reason}); nothing was left there.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_target(target: Path, *, force: bool, ours: Callable[[Path], bool]) -> None:
    """Raise ConfigError for a target that may not be written."""
    above = next(folder for folder in target.parents if folder.exists())
    if not above.is_dir():
        raise ConfigError(f"{target}: cannot be written, {above} is no folder.")
    if not os.path.lexists(target):
        return
    if not force:
        raise ConfigError(f"{target} exists already; --force replaces it.")
    if target.is_symlink() or not target.is_dir():
        raise ConfigError(f"{target} is no folder; --force replaces exports only.")
    if any(target.iterdir()) and not ours(target):
        raise ConfigError(
            f"{target} is no export of Sinew, and --force replaces those only. Remove it first."
        )


def _beside(target: Path, suffix: str) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(3)}{suffix}"


def _remove_leftovers(target: Path) -> None:
    """Remove what exports that are no more have begun; a running one holds the lock of its folder."""
    for leftover in target.parent.glob(f".{target.name}.*{PARTIAL}"):
        lock = os.open(leftover, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)


def _rename(partial: Path, target: Path) -> None:
    """Give the folder its name; one that has it goes only after that."""
    if not target.exists():
        partial.rename(target)
        return
    old = _beside(target, OLD)
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make a folder and all that is in it last over a power cut."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
