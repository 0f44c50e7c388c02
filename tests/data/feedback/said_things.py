"""One of every kind of feedback, and short ways to make some."""

from __future__ import annotations

from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import (
    Clip,
    Comparison,
    Factor,
    FactorRanking,
    Feedback,
    Mark,
    Ranking,
    Rating,
    Said,
    Sentence,
    Stop,
    Takeover,
    Triplet,
)

A, B, C = Clip("a", 5, 9), Clip("b"), Clip("c", 1)
ONE_OF_EACH: tuple[Said, ...] = (
    Comparison(A, B, 0.1 + 0.2, 1 / 3),
    Ranking((B, A, C)),
    Triplet((A, B), C),
    Rating(A, 0.7),
    Mark(B, success=False),
    Takeover(A),
    Stop(A, 'a "cable", torn\n'),
    Sentence("langsamer, bitte \u2028 \U0001f916", C),
    Sentence("in general"),
    FactorRanking((Factor("speed", "less", 0.5), Factor("object_target", "less"))),
)


def given(*said: Said, who: str = "ann", first: int = 0) -> list[Feedback]:
    """Return an entry for each thing said, by a script, one nanosecond after the other."""
    return [make_entry(item, who, first + i, "script") for i, item in enumerate(said)]
