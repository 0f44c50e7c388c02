"""What raters said twice, and what they said against themselves or against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sinew_data.console import counted, listed
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.problem import Problem
from sinew_data.feedback.types import Clip, Comparison, Feedback, Mark, Ranking, Said

Question = frozenset[Clip]


def duplicates(entries: Sequence[Feedback]) -> Iterator[Problem]:
    """Find what a rater said more than once."""
    said: dict[tuple[str, Said], list[str]] = defaultdict(list)
    for entry in entries:
        said[entry.who, _turned(entry.said)].append(entry.id)
    repeated = [ids for ids in said.values() if len(ids) > 1]
    if repeated:
        more = sum(len(ids) - 1 for ids in repeated)
        yield Problem(
            "duplicate",
            "warning",
            f"{counted(more, 'answer')} said once more what the same rater had said before: each counts "
            "again.",
            tuple(name for ids in repeated for name in ids),
        )


def _turned(said: Said) -> Said:
    """Return a comparison with its clips in one order, whichever way it was asked."""
    if not isinstance(said, Comparison) or _key(said.first) <= _key(said.second):
        return said
    return Comparison(said.second, said.first, 1.0 - said.preferred, said.strength)


def _key(clip: Clip) -> tuple[str, int, int]:
    return clip.episode, clip.start, -1 if clip.end is None else clip.end


def opposed(entries: Sequence[Feedback]) -> Iterator[Problem]:
    """Find pairs and marks with opposite answers, by one rater or by two."""
    answers: dict[Question, list[_Answer]] = defaultdict(list)
    for question, answer in _answers(entries):
        answers[question].append(answer)
    own, raters = [], set[str]()
    between = []
    for given in answers.values():
        wavering = {a.who for a, b in combinations(given, 2) if a.who == b.who and a.said != b.said}
        raters |= wavering
        if wavering:
            own.append(given)
        elif len({answer.said for answer in given}) > 1:
            between.append(given)
    if own:
        names = listed(sorted(raters))
        sentence = f"{counted(len(own), 'question')} got opposite answers by the same rater: {names}."
        yield Problem("contradiction", "warning", sentence, _ids(own))
    if between:
        sentence = f"raters disagree on {counted(len(between), 'question')}: a learner that tells them apart "
        yield Problem("disagreement", "warning", f"{sentence}may fit better.", _ids(between))


@dataclass(frozen=True, slots=True)
class _Answer:
    who: str
    said: Clip | bool  # the better clip, or whether it is a success
    id: str


def _answers(entries: Sequence[Feedback]) -> Iterator[tuple[Question, _Answer]]:
    """Yield what was asked and what was answered, ties apart."""
    ordered = [entry for entry in entries if isinstance(entry.said, Comparison | Ranking)]
    for comparison, entry in comparisons_of(ordered):
        if not comparison.tied:
            better = comparison.first if comparison.preferred > 0.5 else comparison.second
            pair = frozenset((comparison.first, comparison.second))
            yield pair, _Answer(entry.who, better, entry.id)
    for entry in entries:
        if isinstance(entry.said, Mark):
            yield frozenset((entry.said.clip,)), _Answer(entry.who, entry.said.success, entry.id)


def _ids(found: Sequence[Sequence[_Answer]]) -> tuple[str, ...]:
    return tuple(answer.id for answers in found for answer in answers)
