"""Who answers questions: a vision-language model behind a server, or a record of what one said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sinew_perception.visual_prompting.question import Question


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, unchecked."""

    text: str
    model: str
    tokens: int = 0  # that it cost, question and answer together; 0 where nobody counted
    live: bool = True  # whether a model was asked for it just now


@runtime_checkable
class Provider(Protocol):
    """Answers one question at a time."""

    def begin(self) -> None:
        """Begin an episode."""

    def ask(self, question: Question) -> Reply:
        """Return the reply; raises Fault with a named outcome where there is none."""
