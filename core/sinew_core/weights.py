"""Fingerprints of the files that a model is made of, for recordings to say which weights were used.

The convention: whatever field of a plugin's `Config` holds a `Path` to an existing file counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sinew_core.models import named_spec
from sinew_core.plugins import plugin_config


def weights_of(kind: str, name: str) -> dict[str, str]:
    """Return the SHA-256 of each file of a `policy`, `reward` or `affordance`, by its field's name.

    The field of a nested configuration is called `outer.inner`, that of a sequence `members.0`. An empty
    name has no files. Raises ConfigError for a plugin that could not be built either.
    """
    if not name:
        return {}
    config = plugin_config(named_spec(kind, name), f"{kind} {name}")
    return {field: _digest(path) for field, path in _files(config, "")}


def _files(value: Any, field: str) -> Iterator[tuple[str, Path]]:
    """Yield the files that a configuration names, also those of a plugin within a plugin."""
    if isinstance(value, Path) and value.is_file():
        yield field, value
    if isinstance(value, Mapping) and "plugin" in value:
        value = plugin_config(value, field)
    for name, item in _items(value):
        yield from _files(item, f"{field}.{name}" if field else str(name))


def _items(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, (list, tuple)):
        return enumerate(value)
    if dataclasses.is_dataclass(value):
        return ((item.name, getattr(value, item.name)) for item in dataclasses.fields(value))
    return ()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
