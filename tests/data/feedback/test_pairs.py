"""Whatever orders clips becomes comparisons, and no rater drowns the others."""

from __future__ import annotations

import numpy as np
import pytest
from said_things import A, B, C, given
from sinew_data.feedback.pairs import MOST, comparisons_of, rater_weights
from sinew_data.feedback.types import Clip, Comparison, Feedback, Mark, Ranking, Rating, Takeover


def orders(entries: list[Feedback]) -> list[tuple[str, str]]:
    return [
        (comparison.first.episode, comparison.second.episode) for comparison, _ in comparisons_of(entries)
    ]


def test_a_comparison_is_itself() -> None:
    entries = given(Comparison(A, B, 0.5, 2.0), Takeover(C))
    assert comparisons_of(entries) == [(entries[0].said, entries[0])]


def test_a_ranking_gives_all_its_ordered_pairs() -> None:
    assert orders(given(Ranking((B, C, A)))) == [("b", "c"), ("b", "a"), ("c", "a")]


def test_ratings_of_one_rater_give_pairs_where_they_differ() -> None:
    entries = given(Rating(A, 0.2), Rating(B, 0.9), Rating(C, 0.2))
    assert sorted(orders(entries)) == [("b", "a"), ("b", "c")]


def test_ratings_of_different_raters_are_not_compared() -> None:
    assert orders([*given(Rating(A, 0.2)), *given(Rating(B, 0.9), who="bob")]) == []


def test_every_success_is_preferred_to_every_failure() -> None:
    entries = [
        *given(Mark(A, success=True), Mark(B, success=False)),
        *given(Mark(C, success=False), who="bob"),
    ]
    assert sorted(orders(entries)) == [("a", "b"), ("a", "c")]


def test_opposite_marks_of_one_clip_give_no_pair() -> None:
    assert orders(given(Mark(A, success=True), Mark(A, success=False))) == []


@pytest.mark.parametrize("successes", [100, 400])
def test_many_marks_give_a_bounded_number_of_pairs_that_hold_each(successes: int) -> None:
    marks = [Mark(Clip(f"e{i}"), success=i < successes) for i in range(500)]
    found = orders(given(*marks))
    assert len(found) == MOST
    assert {name for pair in found for name in pair} == {f"e{i}" for i in range(500)}
    assert all(int(better[1:]) < successes <= int(worse[1:]) for better, worse in found)


def test_many_ratings_give_a_bounded_number_of_pairs_that_hold_each() -> None:
    found = orders(given(*(Rating(Clip(f"e{i}"), i / 200) for i in range(200))))
    assert len(found) == MOST
    assert {name for pair in found for name in pair} == {f"e{i}" for i in range(200)}


def compared(who: str, count: int, strength: float = 1.0) -> list[Feedback]:
    return given(*[Comparison(A, B, 1.0, strength)] * count, who=who)


def shares(*entries: list[Feedback]) -> dict[str, float]:
    pairs = comparisons_of([entry for given_by in entries for entry in given_by])
    weights = rater_weights(pairs)
    assert weights.mean() == pytest.approx(1.0)
    says = weights * [comparison.strength for comparison, _ in pairs]
    return {who: float(says[[e.who == who for _, e in pairs]].sum() / says.sum()) for who in "xyz"}


def test_a_flood_has_no_more_say_than_all_others_together() -> None:
    found = shares(compared("x", 1000), compared("y", 10), compared("z", 30))
    assert found == pytest.approx({"x": 0.5, "y": 0.125, "z": 0.375})


def test_a_flood_by_strength_is_one_too() -> None:
    assert shares(compared("x", 10, 100.0), compared("y", 10))["x"] == pytest.approx(0.5)


def test_raters_within_bounds_and_a_single_one_count_as_they_are() -> None:
    for entries in ([*compared("x", 3), *compared("y", 3)], compared("x", 5)):
        assert np.array_equal(rater_weights(comparisons_of(entries)), np.ones(len(entries)))
    assert len(rater_weights([])) == 0
