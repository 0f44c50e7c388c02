"""Agreement among several samples of an answer, on what is done to what."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from sinew_perception.visual_prompting.answer import Answer
from sinew_perception.visual_prompting.marks import Marks

Ballot = tuple[str, str, str]  # action, the object that is acted on, target object or cell


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many samples are taken, and what share of them has to agree."""

    samples: int = 1
    share: float = 0.6

    def __post_init__(self) -> None:
        """Check that an agreement is one."""
        if self.samples < 1 or not 0.5 < self.share <= 1:
            raise ValueError(
                f"expected samples >= 1 and 0.5 < share <= 1, got {self.samples} and {self.share}."
            )

    @property
    def needed(self) -> int:
        """The number of votes that decides."""
        return math.ceil(self.samples * self.share - 1e-9)

    def open(self, votes: Counter[Ballot], cast: int) -> bool:
        """Tell whether further samples can still make a difference."""
        best = max(votes.values(), default=0)
        return best < self.needed <= best + self.samples - cast


def ballot(answer: Answer, marks: Marks) -> Ballot:
    """Return what an answer votes for: which point of an object it names makes no difference."""
    if answer.refusal is not None:
        return "refuse", "", ""
    return answer.action, _object(answer.moves, marks), _object(answer.target, marks)


def describe(votes: Counter[Ballot]) -> str:
    """Return the count of each vote, the most frequent first."""
    return "; ".join(f"{count} x {' '.join(filter(None, vote))}" for vote, count in votes.most_common())


def winner(votes: Counter[Ballot], needed: int) -> Ballot | None:
    """Return the vote that has enough, if one has."""
    return next((vote for vote, count in votes.most_common(1) if count >= needed), None)


def _object(label: str | None, marks: Marks) -> str:
    candidate = marks.candidate(label) if label else None
    return (label or "") if candidate is None else candidate.object
