"""What one row of a replay buffer holds: observation columns, an action, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sinew_data.replay.errors import ReplayError

Dtype = Literal["uint8", "float32"]
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")  # it becomes a part of a file's name


@dataclass(frozen=True, slots=True)
class Column:
    """One part of an observation: images are uint8 (h, w, 3), everything else is float32."""

    shape: tuple[int, ...]
    dtype: Dtype

    def __post_init__(self) -> None:
        """Check that there is such a column."""
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        if any(size < 1 for size in self.shape):
            raise ReplayError(f"shape is {self.shape}; expected sizes of at least 1")
        if self.dtype not in get_args(Dtype):
            raise ReplayError(f"dtype is {self.dtype!r}; expected one of {', '.join(get_args(Dtype))}")

    def __str__(self) -> str:
        """Say it as error sentences do."""
        return f"{self.dtype} {self.shape}"


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of an observation, the action's length, and whatever else must agree.

    `tag` names what the numbers mean (robot, action layout, encoder, ...): a buffer with another tag
    cannot be opened, because its numbers would fit and be wrong.
    """

    observation: Mapping[str, Column]
    action: int  # length of the action vector, float32
    tag: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check the names and sizes."""
        object.__setattr__(self, "observation", dict(self.observation))
        object.__setattr__(self, "tag", dict(self.tag))
        if not self.observation:
            raise ReplayError("observation has no columns; expected at least one")
        for name in self.observation:
            if NAME.fullmatch(name) is None:
                raise ReplayError(f"observation column {name!r}: expected letters, digits, _ and - only")
        if self.action < 1:
            raise ReplayError(f"action is {self.action}; expected at least 1")
        for key, value in self.tag.items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise ReplayError(f"tag {key!r} is {value!r}; expected text")


def differences(there: Schema, asked: Schema) -> list[str]:
    """Return a sentence for each thing that differs between a stored schema and the one asked for."""
    parts = {f"observation {name}" for name in {*there.observation, *asked.observation}}
    parts |= {f"tag {name}" for name in {*there.tag, *asked.tag}} | {"action"}
    a, b = _parts(there), _parts(asked)
    return [
        f"{part} is {a.get(part, 'absent')} there, {b.get(part, 'absent')} was asked for"
        for part in sorted(parts)
        if a.get(part) != b.get(part)
    ]


def _parts(schema: Schema) -> dict[str, str]:
    columns = {f"observation {name}": str(column) for name, column in schema.observation.items()}
    tags = {f"tag {name}": repr(value) for name, value in schema.tag.items()}
    return {**columns, **tags, "action": f"of length {schema.action}"}
