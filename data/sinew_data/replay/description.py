"""The file `schema.json`: what a folder holds. It is written once, when everything else is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole

from sinew_data.replay.errors import ReplayError
from sinew_data.replay.schema import Schema

FORMAT, VERSION = "sinew replay", 1
SCHEMA = "schema.json"


@dataclass(frozen=True, slots=True)
class Description:
    """What `schema.json` says."""

    format: str
    version: int
    capacity: int  # newest rows that are sampled
    spare: int  # slots beyond these: how many rows can be added and still be taken back
    schema: Schema

    def __post_init__(self) -> None:
        """Check that a ring of this size works."""
        if self.capacity < 2:
            raise ReplayError(f"capacity is {self.capacity}; expected at least 2 rows, one transition")
        if self.spare < 1:
            raise ReplayError(f"spare is {self.spare}; expected at least 1")

    @property
    def slots(self) -> int:
        """Rows that there is room for."""
        return self.capacity + self.spare


def write_description(folder: Path, description: Description) -> None:
    """Write the file at once and for good; raises OSError."""
    text = json.dumps(to_mapping(description), indent=2) + "\n"
    replace_whole(folder / SCHEMA, folder / f".{SCHEMA}.tmp", text.encode())


def read_description(folder: Path) -> Description:
    """Read the file; ReplayError where it is missing, broken, foreign or of another version."""
    path = folder / SCHEMA
    data = _load(path)
    given = data.get("format"), data.get("version")
    if given != (FORMAT, VERSION):
        raise ReplayError(
            f"{path}: format {given[0]!r} of version {given[1]!r}; expected {FORMAT!r} of version {VERSION}."
        )
    try:
        return from_mapping(Description, data, str(path))
    except ConfigError as error:
        raise ReplayError(str(error)) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read ({error.strerror}); this is no replay buffer.") from error
    except ValueError as error:
        raise ReplayError(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ReplayError(f"{path}: expected a JSON object, got {type(data).__name__}.")
    return data
