"""Transitions as bytes: columns to safetensors and back, with every name, shape and number checked.

Nothing that comes by the network is trusted: whatever does not fit is a WireError that names it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save
from sinew_data.replay import Schema
from sinew_data.replay.layout import BEGIN, PERSON, TERMINATED, TRUNCATED

FORMAT = 1  # of the bytes, as Transitions.msg says
MOST = 1024  # transitions of one fragment
LARGEST = 256 << 20  # bytes
OBSERVATION, ACTION, REWARD, FLAGS = "observation.", "action", "reward", "flags"
KNOWN_FLAGS = BEGIN | TERMINATED | TRUNCATED | PERSON

Array = npt.NDArray[np.generic]


class WireError(ValueError):
    """Bytes that are no transitions of this training; nothing was taken from them."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Consecutive transitions of one episode; row 0 is the observation that they start from."""

    observation: Mapping[str, Array]  # (count + 1, ...)
    action: npt.NDArray[np.float32]  # (count, a), as executed
    reward: npt.NDArray[np.float32]  # (count,)
    flags: npt.NDArray[np.uint8]  # (count + 1,): as in replay; row 0 says whether an episode begins

    def __len__(self) -> int:
        """Return how many transitions there are."""
        return len(self.reward)

    @property
    def begins(self) -> bool:
        """Whether it is the first of its episode."""
        return bool(self.flags[0] & BEGIN)

    @property
    def ends(self) -> bool:
        """Whether its last transition is its episode's last one."""
        return bool(self.flags[-1] & (TERMINATED | TRUNCATED))


def encode(fragment: Fragment, schema: Schema) -> bytes:
    """Return the bytes of a fragment; WireError where it does not fit the schema."""
    columns = {f"{OBSERVATION}{name}": column for name, column in fragment.observation.items()}
    columns |= {ACTION: fragment.action, REWARD: fragment.reward, FLAGS: fragment.flags}
    _check(columns, schema)
    whole = {name: np.ascontiguousarray(column) for name, column in columns.items()}
    return bytes(save(whole, {"tag": _tag(schema)}))


def decode(data: bytes, schema: Schema) -> Fragment:
    """Return the fragment that the bytes hold; WireError naming what does not fit."""
    if len(data) > LARGEST:
        raise WireError(f"{len(data)} bytes; expected at most {LARGEST}.")
    tag = _metadata(data).get("tag")
    if tag != _tag(schema):
        raise WireError(f"tag is {tag}; expected {_tag(schema)}.")
    try:
        columns = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise WireError(f"not whole as safetensors: {error}") from error
    _check(columns, schema)
    observation = {name: columns[f"{OBSERVATION}{name}"] for name in schema.observation}
    return Fragment(observation, columns[ACTION], columns[REWARD], columns[FLAGS])


def _metadata(data: bytes) -> Mapping[str, str]:
    """Return what the header of safetensors bytes says beside the tensors."""
    try:
        (size,) = struct.unpack_from("<Q", data)
        if size > len(data) - 8:
            raise WireError(f"truncated: a header of {size} bytes in {len(data)} bytes.")
        header = json.loads(data[8 : 8 + size])
        return dict(header.get("__metadata__", {}))
    except (struct.error, ValueError, AttributeError, TypeError, RecursionError) as error:
        if isinstance(error, WireError):
            raise
        raise WireError(f"not safetensors: {error}") from error


def _tag(schema: Schema) -> str:
    return json.dumps(dict(schema.tag), sort_keys=True)


def _check(columns: Mapping[str, Array], schema: Schema) -> None:
    """Raise WireError unless the columns are those of the schema, for one number of transitions."""
    count = len(columns[REWARD]) if REWARD in columns and columns[REWARD].ndim else 0
    expected = {
        f"{OBSERVATION}{name}": ((count + 1, *column.shape), column.dtype)
        for name, column in schema.observation.items()
    }
    expected |= {ACTION: ((count, schema.action), "float32"), REWARD: ((count,), "float32")}
    expected |= {FLAGS: ((count + 1,), "uint8")}
    if columns.keys() != expected.keys():
        raise WireError(f"columns are {', '.join(sorted(columns))}; expected {', '.join(sorted(expected))}.")
    if not 1 <= count <= MOST:
        raise WireError(f"{count} transitions; expected 1 to {MOST}.")
    for name, (shape, dtype) in expected.items():
        column = columns[name]
        if column.shape != shape or column.dtype != dtype:
            raise WireError(
                f"column {name} is {column.dtype} {column.shape}; expected {dtype} {shape} for {count} "
                "transitions."
            )
        if column.dtype == np.float32 and not np.isfinite(column).all():
            raise WireError(f"column {name} holds values that are not finite.")
    _check_flags(columns[FLAGS].astype(np.uint8))


def _check_flags(flags: npt.NDArray[np.uint8]) -> None:
    ends = flags & (TERMINATED | TRUNCATED) != 0
    if np.any(flags & ~np.uint8(KNOWN_FLAGS)) or flags[0] & ~np.uint8(BEGIN) or np.any(flags[1:] & BEGIN):
        raise WireError(f"column {FLAGS} is {flags.tolist()}: an episode begins in row 0 only.")
    if np.any(ends[:-1]):
        raise WireError(f"column {FLAGS} is {flags.tolist()}: an episode ends in the last row only.")
