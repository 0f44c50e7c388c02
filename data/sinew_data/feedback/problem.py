"""A finding about feedback: what, how bad, and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding about feedback."""

    what: str  # lost | undecided | self | duplicate | contradiction | disagreement | flood | ties | one_class
    level: Literal["error", "warning"]  # error: a reward must not be fitted to this
    sentence: str
    ids: tuple[str, ...] = ()  # of the entries concerned
