"""Message definitions and CDR without ROS: standard ones from rosbags, Sinew's own from their .msg files."""

from __future__ import annotations

import difflib
import struct
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

HERE = Path(__file__).resolve().parent
OWN = "sinew_msgs/msg/"
SEPARATOR = "=" * 80 + "\n"
NUMBERS = {"byte": "uint8", "char": "uint8", "octet": "uint8"}  # names that NumPy does not know


def message_folder() -> Path:
    """Return where sinew_msgs' .msg files are: in the source tree, else in the installed package."""
    source = HERE.parents[1] / "ros2_ws" / "src" / "sinew_msgs" / "msg"
    return source if source.is_dir() else HERE / "share" / "sinew_msgs" / "msg"


@cache
def own_definitions() -> dict[str, str]:
    """Return the text of each of Sinew's message definitions by type name."""
    return {f"{OWN}{path.stem}": path.read_text(encoding="utf-8") for path in message_folder().glob("*.msg")}


@cache
def typestore() -> Typestore:
    """Return every type that can be written."""
    store = get_typestore(Stores.ROS2_KILTED)
    types: dict[str, Any] = {}
    for name, text in own_definitions().items():
        types.update(get_types_from_msg(text, name))
    store.register(types)
    return store


@cache
def definition(type_name: str) -> str:
    """Return a definition with all that it needs, concatenated as the schema encoding `ros2msg` has it.

    An unknown type is a KeyError with a sentence.
    """
    known = typestore().fielddefs
    if type_name not in known:
        near = difflib.get_close_matches(type_name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise KeyError(f"unknown message type '{type_name}'.{hint}")
    parts = [_text(type_name)]
    for needed in _needed(type_name, []):
        package, _, name = needed.split("/")
        parts.append(f"MSG: {package}/{name}\n{_text(needed)}")
    return SEPARATOR.join(part.rstrip("\n") + "\n" for part in parts)


def _text(type_name: str) -> str:
    """Return one definition; Sinew's own with their comments, which give units and frames."""
    own = own_definitions().get(type_name)
    if own is not None:
        return own
    return typestore().gendefhash(type_name, {}, ros_version=2)[0]


def _needed(type_name: str, found: list[str]) -> list[str]:
    """Return the types that a type is made of, nested ones too, each once."""
    for _, field in typestore().fielddefs[type_name][1]:
        element: Any = field[1][0] if field[0] in (Nodetype.ARRAY, Nodetype.SEQUENCE) else field
        if element[0] == Nodetype.NAME and element[1] not in found:
            found.append(element[1])
            _needed(element[1], found)
    return found


class _Constructors(dict[str, Callable[..., Any]]):
    """Constructors of rosbags' messages by type name, made when first asked for."""

    def __missing__(self, type_name: str) -> Callable[..., Any]:
        self[type_name] = _constructor(type_name)
        return self[type_name]


make = _Constructors()  # a cache: constructors depend on nothing but the definitions


def _constructor(type_name: str) -> Callable[..., Any]:
    """Return a constructor that fills what is left out and turns numbers into arrays, as rosbags needs."""
    cls = typestore().types[type_name]
    fields = {name: _filler(*kind) for name, kind in typestore().fielddefs[type_name][1]}

    def construct(**given: Any) -> Any:
        values = {name: filler(given.pop(name, None)) for name, filler in fields.items()}
        if given:
            raise TypeError(f"{type_name} has no field {', '.join(given)}; it has {', '.join(fields)}.")
        return cls(**values)

    return construct


def _filler(kind: Any, detail: Any) -> Callable[[Any], Any]:
    """Return what turns a given value, or None, into that of a field."""
    if kind == Nodetype.BASE:
        default: Any = {"string": "", "bool": False}.get(detail[0], 0)
        return lambda value: default if value is None else value
    if kind == Nodetype.NAME:
        return lambda value: make[detail]() if value is None else value
    (element, name), size = detail
    if element == Nodetype.BASE and name[0] != "string":
        dtype = np.dtype(NUMBERS.get(name[0], name[0]))
        empty = size if kind == Nodetype.ARRAY else 0
        return lambda value: np.zeros(empty, dtype) if value is None else np.asarray(value, dtype)
    return lambda value: [] if value is None else list(value)


def encode(message: Any) -> bytes:
    """Return a message of rosbags as CDR, little-endian."""
    return bytes(typestore().serialize_cdr(message, message.__msgtype__, little_endian=True))


@lru_cache(maxsize=256)
def decoder(type_name: str, text: str) -> Callable[[bytes], Any]:
    """Return what decodes CDR by a definition as it is embedded in a file; both raise ValueError.

    Files of one graph share their definitions, hence the cache.
    """
    store = get_typestore(Stores.EMPTY)
    try:
        store.register(get_types_from_msg(text, type_name))
        known = store.get_msgdef(type_name)
    except Exception as error:
        raise ValueError(f"definition of {type_name} cannot be read: {error}") from error
    readers = {b"\x00\x00": known.deserialize_cdr_be, b"\x00\x01": known.deserialize_cdr_le}

    def decode(data: bytes) -> Any:
        # Not by the store itself: it refuses what lies behind the message, and rclpy leaves something there.
        read = readers.get(bytes(data[:2]))
        if read is None:
            raise ValueError(f"{type_name} begins with {bytes(data[:4])!r}, which is no plain CDR.")
        try:
            message, _ = read(memoryview(data)[4:], 0, known.cls, store)
        except (SerdeError, struct.error, IndexError) as error:
            raise ValueError(f"{type_name} cannot be decoded: {error}") from error
        return message

    return decode
