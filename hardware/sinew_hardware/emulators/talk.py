"""Words over a Unix socket: one line of JSON, and the bytes that it announces."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, BinaryIO


def say(stream: BinaryIO, words: dict[str, Any], payload: bytes = b"") -> None:
    """Send words and their payload."""
    line = json.dumps(words | {"bytes": len(payload)})
    stream.write(line.encode() + b"\n" + payload)
    stream.flush()


def hear(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Return the next words and their payload, or None at the end."""
    line = stream.readline()
    if not line:
        return None
    words = json.loads(line)
    size = words.pop("bytes")
    payload = stream.read(size) if size else b""
    return None if len(payload) < size else (words, payload)


def call(path: Path, timeout: float | None = None) -> tuple[socket.socket, BinaryIO]:
    """Connect to a socket; return it, which its caller closes, and its stream."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(timeout)
    line.connect(str(path))
    return line, line.makefile("rwb")  # type: ignore[return-value] # BufferedRWPair
