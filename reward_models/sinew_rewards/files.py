"""Safetensors files that appear whole or not at all, and arrays mapped from them without being read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole

DTYPES = {"U8": np.uint8, "I8": np.int8, "I32": np.int32, "F32": np.float32, "I64": np.int64}
HEADER_LIMIT = 100_000_000  # bytes; a longer one is damage
Arrays = Mapping[str, npt.NDArray[Any]]


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as indented JSON."""
    write_whole(path, (json.dumps(facts, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """Return a JSON object; ConfigError where there is none, with the command that makes it."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); {made_by} makes it.") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ConfigError(f"{path}: expected a JSON object, got {type(facts).__name__}.")
    return facts


def write_arrays(path: Path, arrays: Arrays, facts: Mapping[str, Any]) -> None:
    """Write arrays, with facts in the file's metadata."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_whole(path, save(whole, {"facts": json.dumps(facts, allow_nan=False)}))


def read_arrays(path: Path, made_by: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return arrays and facts; ConfigError for what is no such file."""
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {}).get("facts", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 - no mapping
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; {made_by} makes one.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no safetensors file: {error}") from error


def map_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return arrays that stay on the disk until they are looked at, and facts; ConfigError as above.

    Pictures of a hundred episodes need not fit into memory. The format is safetensors' own: the header's
    length, a JSON header with each tensor's place, the bytes.
    """
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, HEADER_LIMIT)))
        facts = json.loads(header.pop("__metadata__", {}).get("facts", "{}"))
        arrays = {name: _mapped(path, 8 + length, entry) for name, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: is no safetensors file: {error}") from error
    return arrays, facts


def _mapped(path: Path, start: int, entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    shape, begin = tuple(entry["shape"]), int(entry["data_offsets"][0])
    dtype = DTYPES[entry["dtype"]]
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", start + begin, shape)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
