"""Notices that two publishers command at once where only one may."""

from __future__ import annotations


class Rivals:
    """Remembers who has commanded lately; who wants nothing, or has been silent, is no rival."""

    def __init__(self, what: str, silence: int) -> None:
        self._what, self._silence = what, silence  # ns
        self._heard: dict[str, int] = {}  # ns, monotonic, by publisher

    def look(self, publisher: str, now: int, *, wants: bool) -> str:
        """Return why a command of `publisher` cannot be taken, or ''."""
        self._heard = {who: at for who, at in self._heard.items() if now - at <= self._silence}
        if not wants:
            self._heard.pop(publisher, None)
            return ""
        self._heard[publisher] = now
        count = len(self._heard)
        return f"{count} sources publish {self._what} at once; end all but one" if count > 1 else ""
