"""New entries of the feedback log: what was said, by whom and when, under an id that follows from these."""

from __future__ import annotations

import hashlib

from sinew_data.feedback.types import Feedback, Said, Source
from sinew_data.feedback.wire import Retraction


def make_entry(said: Said, who: str, when: int, source: Source, index: int = 0) -> Feedback:
    """Return an entry, `when` in ns since 1970.

    `index` tells apart what would otherwise be one entry: the same said twice at one moment.
    """
    return Feedback(said, who, when, source, _digest(said, who, when, source, index))


def take_back(entry: Feedback, when: int) -> Retraction:
    """Return what takes an entry back, by whoever made it."""
    name = _digest("taken back", entry.id, when)
    return Retraction(entry.id, entry.who, when, entry.source, name)


def _digest(*content: object) -> str:
    return hashlib.sha256(" ".join(map(repr, content)).encode()).hexdigest()[:16]
