"""Comparisons from whatever orders clips: answers, rankings, ratings and marks; and how much raters count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, product

import numpy as np
from sinew_core.types import FloatArray

from sinew_data.feedback.types import Comparison, Feedback, Mark, Ranking, Rating

MOST = 5_000  # pairs of one rater's ratings, and of all marks: they grow by the square
Pair = tuple[Comparison, Feedback]


def comparisons_of(entries: Sequence[Feedback]) -> list[Pair]:
    """Return all comparisons that entries mean, each with the entry that it comes from.

    A ranking gives all its ordered pairs; ratings by one rater give pairs where they differ, from the
    better one's entry; of marks, a fact that raters do not differ about, each success is preferred to each
    failure. Of ratings and of marks, at most `MOST` pairs are made, spread over all of them.
    """
    pairs = [pair for entry in entries for pair in _said(entry)]
    ratings: dict[str, list[tuple[Rating, Feedback]]] = defaultdict(list)
    marks: dict[bool, list[tuple[Mark, Feedback]]] = {True: [], False: []}
    for entry in entries:
        match entry.said:
            case Rating() as rating:
                ratings[entry.who].append((rating, entry))
            case Mark() as mark:
                marks[mark.success].append((mark, entry))
    for given in ratings.values():
        pairs += islice(_rated(given), MOST)
    return [*pairs, *islice(_marked(marks[True], marks[False]), MOST)]


def rater_weights(pairs: Sequence[Pair]) -> FloatArray:
    """Return how much each pair (n,) counts beside its strength, so that a flood does not drown the rest.

    No rater has more say than all the others together; who is alone, or within that, keeps weight 1
    before the weights are scaled to a mean of 1.
    """
    raters = [entry.who for _, entry in pairs]
    totals: dict[str, float] = defaultdict(float)
    for (comparison, _), who in zip(pairs, raters, strict=True):
        totals[who] += comparison.strength
    weights = np.ones(len(pairs))
    if len(totals) > 1:
        loudest = max(totals, key=lambda who: totals[who])
        others = sum(total for who, total in totals.items() if who != loudest)
        weights[[who == loudest for who in raters]] = min(1.0, others / totals[loudest])
    return weights / weights.mean() if len(pairs) else weights


def _said(entry: Feedback) -> Iterator[Pair]:
    match entry.said:
        case Comparison() as comparison:
            yield comparison, entry
        case Ranking(clips):
            for better, worse in combinations(clips, 2):
                yield Comparison(better, worse, 1.0), entry


def _rated(ratings: Sequence[tuple[Rating, Feedback]]) -> Iterator[Pair]:
    """Yield pairs that differ, those next to each other in the log first."""
    for apart in range(1, len(ratings)):
        for one, other in zip(ratings, ratings[apart:], strict=False):
            (better, entry), (worse, _) = (one, other) if one[0].score > other[0].score else (other, one)
            if better.score > worse.score and better.clip != worse.clip:
                yield Comparison(better.clip, worse.clip, 1.0), entry


def _marked(done: Sequence[tuple[Mark, Feedback]], failed: Sequence[tuple[Mark, Feedback]]) -> Iterator[Pair]:
    """Yield each success with each failure, so that the first pairs hold every mark once."""
    long, short = max(len(done), len(failed)), min(len(done), len(failed))
    for shift, i in product(range(short), range(long)):
        success, entry = done[i if len(done) == long else (i + shift) % short]
        failure, _ = failed[(i + shift) % short if len(done) == long else i]
        if success.clip != failure.clip:
            yield Comparison(success.clip, failure.clip, 1.0), entry
