"""One sitting: question after question, each answer in the log before the next one is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sinew_data.feedback.entries import make_entry, take_back
from sinew_data.feedback.log import append
from sinew_data.feedback.types import Comparison, Feedback

from sinew_rewards.asking.question import PREFERRED, QUIT, UNDO, Question, Screen


@dataclass(frozen=True, slots=True)
class Sitting:
    """What came of it."""

    answered: int
    skipped: int


class Session:
    """Asks, and writes each answer down at once; whatever ends it, no answer is lost."""

    def __init__(self, log: Path, who: str, now: Callable[[], int]) -> None:
        self._log, self._who, self._now = log, who, now  # now: ns since 1970
        self._given: list[Feedback | None] = []  # by question; None: skipped

    def run(self, count: int, question: Callable[[int], Question], screen: Screen) -> Sitting:
        """Ask `count` questions; `question` makes the one of a number from 0."""
        while len(self._given) < count or (self._given and screen.ask_again()):
            if len(self._given) == count:
                self._undo()
                continue
            asked = question(len(self._given))
            key = screen.ask(asked)
            if key == QUIT:
                break
            if key == UNDO:
                self._undo()
            else:
                self._given.append(self._answer(asked, key) if key in PREFERRED else None)
        return self.sitting

    @property
    def sitting(self) -> Sitting:
        """What came of it so far."""
        skipped = sum(entry is None for entry in self._given)
        return Sitting(len(self._given) - skipped, skipped)

    def _answer(self, asked: Question, key: str) -> Feedback:
        said = Comparison(asked.first.clip, asked.second.clip, PREFERRED[key])
        entry = make_entry(said, self._who, self._now(), "person")
        append(self._log, [entry])
        return entry

    def _undo(self) -> None:
        """Go one question back; an answer to it is taken back."""
        last = self._given.pop() if self._given else None
        if last is not None:
            append(self._log, [take_back(last, self._now())])
