"""What is wrong, or odd, with the feedback as a whole, each finding a sentence; an error forbids fitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sinew_data.console import counted, listed
from sinew_data.feedback.contradictions import duplicates, opposed
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.problem import Problem
from sinew_data.feedback.types import Comparison, Feedback, Mark, Ranking, Rating

FLOOD = 0.8  # share of the entries, of several raters', from which one floods the log
FEW = 20  # entries, below which nobody does
ORDERING = (Comparison, Ranking, Rating, Mark)


def problems(entries: Sequence[Feedback], episodes: Collection[str] | None = None) -> list[Problem]:
    """Return what is wrong with entries, errors first; `episodes` are the names of those there are."""
    found = [
        *([] if episodes is None else _lost(entries, episodes)),
        *_undecided(entries),
        *_selves(entries),
        *duplicates(entries),
        *opposed(entries),
        *_flood(entries),
        *_ties(entries),
        *_one_class(entries),
    ]
    return sorted(found, key=lambda problem: problem.level)


def with_episodes(entries: Sequence[Feedback], episodes: Collection[str]) -> list[Feedback]:
    """Return the entries whose episodes are all there."""
    return [entry for entry in entries if not _missing(entry, episodes)]


def _missing(entry: Feedback, episodes: Collection[str]) -> list[str]:
    return [clip.episode for clip in entry.clips() if clip.episode not in episodes]


def _lost(entries: Sequence[Feedback], episodes: Collection[str]) -> Iterator[Problem]:
    ids = tuple(entry.id for entry in entries if _missing(entry, episodes))
    names = sorted({name for entry in entries for name in _missing(entry, episodes)})
    if ids:
        yield Problem(
            "lost",
            "error",
            f"{len(ids)} of {len(entries)} entries speak of episodes that are not there: {listed(names)}.",
            ids,
        )


def _undecided(entries: Sequence[Feedback]) -> Iterator[Problem]:
    if not entries or not all(isinstance(entry.said, ORDERING) for entry in entries):
        return
    if all(comparison.tied for comparison, _ in comparisons_of(entries)):
        yield Problem(
            "undecided",
            "error",
            "nothing says that any clip is better than another one: there is nothing to learn from. Ask for "
            "pairs that differ more, or mark successes and failures.",
        )


def _selves(entries: Sequence[Feedback]) -> Iterator[Problem]:
    ids = tuple(entry.id for entry in entries if len(set(entry.clips())) < len(entry.clips()))
    if ids:
        yield Problem("self", "warning", f"a clip is set against itself: {listed(ids)}.", ids)


def _flood(entries: Sequence[Feedback]) -> Iterator[Problem]:
    counts = Counter(entry.who for entry in entries)
    if len(counts) < 2 or len(entries) < FEW:
        return
    who, most = counts.most_common(1)[0]
    if most >= FLOOD * len(entries):
        yield Problem(
            "flood",
            "warning",
            f"{most} of {len(entries)} entries are by '{who}': unless raters are weighted, the others "
            "are not heard.",
        )


def _ties(entries: Sequence[Feedback]) -> Iterator[Problem]:
    said = [entry.said for entry in entries if isinstance(entry.said, Comparison)]
    if said and all(comparison.tied for comparison in said):
        yield Problem("ties", "warning", f"all {counted(len(said), 'comparison')} are ties.")


def _one_class(entries: Sequence[Feedback]) -> Iterator[Problem]:
    marks = [entry.said.success for entry in entries if isinstance(entry.said, Mark)]
    if marks and len(set(marks)) == 1:
        kind, other = ("success", "failure") if marks[0] else ("failure", "success")
        yield Problem(
            "one_class", "warning", f"every mark ({len(marks)}) is a {kind}: mark at least one {other}, too."
        )
