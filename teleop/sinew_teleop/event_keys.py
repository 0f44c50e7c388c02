"""The keys that mean the same whatever device moves the arm, and a reader of them alone."""

from __future__ import annotations

from collections.abc import Mapping

from sinew_teleop.keys import KeyDecoder
from sinew_teleop.source import TeleopEvent
from sinew_teleop.terminal import RawTerminal

EVENT_KEYS: Mapping[str, TeleopEvent] = {
    "space": TeleopEvent.STOP,
    "c": TeleopEvent.CLEAR,
    "v": TeleopEvent.ARM,
    "y": TeleopEvent.SUCCESS,
    "n": TeleopEvent.FAILURE,
    "backspace": TeleopEvent.DISCARD,
    "enter": TeleopEvent.NEXT,
    "h": TeleopEvent.HELP,
    "?": TeleopEvent.HELP,
    "ctrl-c": TeleopEvent.QUIT,
    "ctrl-d": TeleopEvent.QUIT,
}
EVENT_HELP = (
    ("space", "STOP"),
    ("c v", "clear, then arm"),
    ("y n", "success, failure"),
    ("backspace", "discard and repeat"),
    ("enter", "next episode"),
    ("h", "this help, on or off"),
    ("ctrl-c", "quit"),
)


def help_text(lines: tuple[tuple[str, str], ...]) -> str:
    """Return help as a source gives it: what to press, two spaces, what it does."""
    return "\n".join(f"{keys}  {meaning}" for keys, meaning in lines)


class EventKeyReader:
    """Reads stop, clear, arm and marks from a terminal, beside a source that has none."""

    def __init__(self, terminal: RawTerminal) -> None:
        self._terminal, self._decoder = terminal, KeyDecoder()
        self._told = False  # that the terminal is gone

    @property
    def help(self) -> str:
        """What each key does."""
        return help_text(EVENT_HELP)

    def poll(self) -> tuple[list[TeleopEvent], list[str]]:
        """Return what was said since the last call, and the keys that are none of these."""
        keys = self._decoder.feed(self._terminal.read())
        events = [EVENT_KEYS[key] for key in keys if key in EVENT_KEYS]
        if self._terminal.gone and not self._told:
            self._told = True
            events.append(TeleopEvent.QUIT)
        return events, [key for key in keys if key not in EVENT_KEYS]
