"""Files that appear whole or not at all, and the folder for what can be made again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sinew_core.errors import ConfigError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, for good, or leave what was there; ConfigError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, path.with_name(f".{path.name}.{os.getpid()}.partial"), data)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from error


def replace_whole(path: Path, aside: Path, data: bytes) -> None:
    """Write a file under the name `aside`, for good, and only then give it its own; OSError.

    Where that fails nothing is left aside. It is up to the caller what a kill leaves there.
    """
    try:
        with aside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):  # it has its name by now, or was never begun
            aside.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last over a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_folder(name: str) -> Path:
    """Return the folder of this name for what can be made again: below XDG_CACHE_HOME, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "sinew" / name
