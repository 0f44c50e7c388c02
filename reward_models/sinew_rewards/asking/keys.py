"""Single keys from a terminal, or from whatever is piped in."""

from __future__ import annotations

import contextlib
import sys
import termios
import tty
from collections.abc import Collection, Iterator
from typing import TextIO

from sinew_rewards.asking.question import QUIT


def read_key(keys: Collection[str], stream: TextIO | None = None) -> str:
    """Return the next of these keys, without a line's end; others are passed over. Quit at the end.

    What was typed into a terminal before is dropped: it was no answer to this. Ctrl-C raises
    KeyboardInterrupt, and the terminal is as before.
    """
    source = sys.stdin if stream is None else stream
    with _unbuffered(source):
        while True:
            key = source.read(1)
            if not key:
                return QUIT
            if key.lower() in keys:
                return key.lower()


@contextlib.contextmanager
def _unbuffered(stream: TextIO) -> Iterator[None]:
    """Let a terminal hand over each key at once, without showing it."""
    if not stream.isatty():
        yield
        return
    before = termios.tcgetattr(stream)
    try:
        tty.setcbreak(stream, termios.TCSAFLUSH)
        yield
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
