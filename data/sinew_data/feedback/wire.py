"""A line of the feedback log: JSON with a checksum over its bytes, so that no damage passes for feedback."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError

from sinew_data.feedback.types import KINDS, Feedback, Source

FORMAT = 1
RETRACTION = "retraction"
SUM = b',"sum":"'  # the checksum is of all bytes before this
NEWER = "a newer Sinew may have written it; it is kept as it is"


class DamagedLineError(ValueError):
    """A line that is not what was written."""


@dataclass(frozen=True, slots=True)
class Retraction:
    """An entry taken back: a log that only grows says so by a line of its own."""

    entry: str  # the id of what no longer holds
    who: str
    when: int  # ns since 1970
    source: Source
    id: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that is whole, and that this Sinew does not understand."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Head:
    """What every line has."""

    format: int
    kind: str
    id: str
    who: str
    when: int
    source: Source
    said: Mapping[str, Any]


Item = Feedback | Retraction | Unread


def to_line(item: Feedback | Retraction) -> bytes:
    """Return a line without its end; ValueError where a value would not come back as it is."""
    body = _body(item)
    try:
        text = json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"feedback {item.id}: holds what JSON cannot: {error}.") from error
    whole = text.encode("ascii")[:-1]
    line = whole + SUM + f'{zlib.crc32(whole):08x}"}}'.encode()
    back = of_line(line)
    if back != item:
        why = f": {back.reason}" if isinstance(back, Unread) else ""
        raise ValueError(f"feedback {item.id}: would not be read back as it is{why}")
    return line


def _body(item: Feedback | Retraction) -> dict[str, Any]:
    if isinstance(item, Retraction):
        kind, said = RETRACTION, {"entry": item.entry}
    else:
        kind, said = item.kind, to_mapping(item.said)
    head = {"format": FORMAT, "kind": kind, "id": item.id, "who": item.who, "when": item.when}
    return {**head, "source": item.source, "said": said}


def of_line(line: bytes) -> Item:
    """Return what a line without its end says; DamagedLineError where its checksum does not fit."""
    values = _checked(line)
    name = values.get("id")
    if not isinstance(name, str) or not name:
        raise DamagedLineError("it has no id.")
    if values.get("format") != FORMAT:
        return Unread(name, f"of format {values.get('format')!r}, this one reads {FORMAT}: {NEWER}.")
    kind = values.get("kind")
    if kind not in KINDS and kind != RETRACTION:
        return Unread(name, f"of a kind {kind!r} that is not known here: {NEWER}.")
    try:
        return _item(from_mapping(_Head, values, f"entry {name}"))
    except ConfigError as error:
        return Unread(name, f"not understood: {error}")


def _checked(line: bytes) -> dict[str, Any]:
    whole, mark, rest = line.rpartition(SUM)
    if not mark:
        raise DamagedLineError("it was cut off, or is no line of a feedback log.")
    if rest != f'{zlib.crc32(whole):08x}"}}'.encode():
        raise DamagedLineError("its checksum does not fit.")
    try:
        values: dict[str, Any] = json.loads(whole + b"}")
    except ValueError as error:
        raise DamagedLineError(f"it is no JSON: {error}.") from error
    return values


def _item(head: _Head) -> Feedback | Retraction:
    where = f"entry {head.id}"
    if head.kind == RETRACTION:
        if set(head.said) != {"entry"} or not isinstance(head.said["entry"], str):
            raise ConfigError(f"{where}: expected the id of what it takes back, got {dict(head.said)}.")
        return Retraction(head.said["entry"], head.who, head.when, head.source, head.id)
    said = from_mapping(KINDS[head.kind], head.said, where)
    return Feedback(said, head.who, head.when, head.source, head.id)
