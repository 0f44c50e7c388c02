"""From a terminal's bytes to the names of keys."""

from __future__ import annotations

NAMES = {
    b"\r": "enter",
    b"\n": "enter",
    b"\t": "tab",
    b" ": "space",
    b"\x7f": "backspace",
    b"\x08": "backspace",
    b"\x03": "ctrl-c",
    b"\x04": "ctrl-d",
    b"\x1b": "escape",
}
SEQUENCES = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
    b"\x1b[3~": "delete",
}
SS3 = b"\x1bO"  # what some terminals send for arrows instead of ESC [
LONGEST = 16  # bytes that an unfinished sequence may have


class KeyDecoder:
    """Turns bytes into key names; a sequence that a slow line cuts in two is put together again.

    A printable character is its own name. Sequences that mean no known key are dropped.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, typed: bytes) -> list[str]:
        """Return the keys that are complete, in order; an escape key is one once nothing follows it."""
        if not typed:
            lone, self._rest = self._rest, b""
            return ["escape"] if lone == b"\x1b" else []
        pending, keys = self._rest + typed, []
        self._rest = b""
        while pending:
            length = _sequence_length(pending)
            if length == 0:
                self._rest = pending if len(pending) <= LONGEST else b""
                break
            key = _name(pending[:length])
            keys += [key] if key else []
            pending = pending[length:]
        return keys


def _sequence_length(pending: bytes) -> int:
    """Return how many bytes belong to the first key, 0 if not all of them are there."""
    first = pending[:1]
    if first != b"\x1b":
        size = 1 if first < b"\x80" else 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4
        return size if len(pending) >= size else 0
    if len(pending) == 1:
        return 0
    if pending[1:2] == b"O":
        return 3 if len(pending) >= 3 else 0
    if pending[1:2] != b"[":
        return 1  # an escape key, then something else
    for place in range(2, len(pending)):
        if 0x40 <= pending[place] <= 0x7E:
            return place + 1
    return 0


def _name(sequence: bytes) -> str:
    if sequence.startswith(SS3):
        sequence = b"\x1b[" + sequence[2:]
    if sequence in SEQUENCES:
        return SEQUENCES[sequence]
    if sequence in NAMES:
        return NAMES[sequence]
    text = sequence.decode("utf-8", errors="replace")
    return text if text.isprintable() and len(text) == 1 else ""
