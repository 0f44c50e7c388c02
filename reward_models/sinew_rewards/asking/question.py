"""A question to a person: two clips beside each other, and how they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sinew_data.feedback.types import Clip

from sinew_rewards.asking.clip_frames import ClipFrame

PREFERRED = {"1": 1.0, "2": 0.0, "=": 0.5}  # what keys mean
SKIP, UNDO, QUIT = "s", "u", "q"
KEYS = (*PREFERRED, SKIP, UNDO, QUIT)
HELP = "[1] left is better   [2] right is better   [=] alike   [s] skip   [u] undo   [q] quit"
LAST = "That was the last question.   [u] undo   [q] quit"


@dataclass(frozen=True, slots=True)
class Pictured:
    """A clip with its pictures."""

    clip: Clip
    frames: Sequence[ClipFrame]
    instruction: str


@dataclass(frozen=True, slots=True)
class Question:
    """Which of two clips is better?"""

    number: int  # from 1
    count: int
    first: Pictured
    second: Pictured
    seconds: float  # how long both are

    @property
    def title(self) -> str:
        """What the robot was asked to do, and which question this is."""
        asked = dict.fromkeys((self.first.instruction, self.second.instruction))
        return f"{self.number} of {self.count}:  {'  |  '.join(asked)}"


class Screen(Protocol):
    """Whatever shows a question to somebody and hears the answer."""

    def ask(self, question: Question) -> str:
        """Show a question and return the key of the answer, one of KEYS; quit where nobody can answer."""

    def ask_again(self) -> bool:
        """After the last question, return whether it is to be asked again."""

    def close(self) -> None:
        """Show nothing any more."""
