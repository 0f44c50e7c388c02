"""What is wrong with the feedback is found, told in a sentence, and not seen where it is not."""

from __future__ import annotations

from said_things import ONE_OF_EACH, A, B, C, given
from sinew_data.feedback.checks import problems, with_episodes
from sinew_data.feedback.problem import Problem
from sinew_data.feedback.types import Clip, Comparison, Feedback, Mark, Ranking, Sentence

GOOD = [*given(Comparison(A, B, 1.0), Mark(A, success=True), Mark(B, success=False))]


def found(entries: list[Feedback], episodes: tuple[str, ...] = ("a", "b", "c")) -> dict[str, Problem]:
    listed = problems(entries, episodes)
    return {problem.what: problem for problem in listed}


def test_sound_feedback_has_no_problem() -> None:
    assert problems(GOOD, ["a", "b"]) == []
    assert problems([]) == []


def test_one_of_every_kind_has_only_a_mark_of_one_class() -> None:
    assert set(found(given(*ONE_OF_EACH))) == {"one_class"}


def test_feedback_on_a_lost_episode_is_an_error_that_names_it() -> None:
    problem = found([*GOOD, *given(Mark(Clip("gone"), success=True), first=50)])["lost"]
    assert problem.level == "error"
    assert "1 of 4" in problem.sentence and "gone" in problem.sentence
    assert with_episodes(GOOD, ["a"]) == [GOOD[1]]


def test_the_same_said_twice_is_a_duplicate_whichever_way_it_was_asked() -> None:
    problem = found(given(Comparison(A, B, 1.0, 2.0), Comparison(B, A, 0.0, 2.0)))["duplicate"]
    assert problem.level == "warning" and len(problem.ids) == 2


def test_two_raters_who_agree_are_no_duplicate() -> None:
    assert found([*given(Comparison(A, B, 1.0)), *given(Comparison(A, B, 1.0), who="bob")]) == {}


def test_a_rater_against_itself_is_named() -> None:
    opposite = given(Comparison(A, B, 1.0), Comparison(B, A, 0.9))
    assert "opposite answers by the same rater: ann" in found(opposite)["contradiction"].sentence
    ranked = given(Ranking((A, B, C)), Comparison(C, A, 1.0))
    assert found(ranked)["contradiction"].ids == tuple(entry.id for entry in ranked)


def test_a_clip_marked_both_ways_is_a_contradiction() -> None:
    assert "contradiction" in found(given(Mark(A, success=True), Mark(A, success=False)))


def test_raters_who_differ_are_told() -> None:
    problem = found([*given(Comparison(A, B, 1.0)), *given(Comparison(A, B, 0.0), who="bob")])
    assert set(problem) == {"disagreement"}


def test_a_tie_contradicts_nothing() -> None:
    assert found(given(Comparison(A, B, 1.0), Comparison(A, B, 0.5))) == {}


def test_a_flood_names_the_rater() -> None:
    clips = [Clip("a", i) for i in range(31)]
    many = given(*(Comparison(clips[i], clips[i + 1], 1.0) for i in range(30)), who="bot")
    assert "'bot'" in found([*many, *GOOD])["flood"].sentence
    assert "flood" not in found(many)


def test_all_ties_leave_nothing_to_learn() -> None:
    problem = found(given(Comparison(A, B, 0.5), Comparison(B, C, 0.5)))
    assert problem["undecided"].level == "error" and problem["ties"].level == "warning"


def test_marks_of_one_kind_alone_are_an_error_and_beside_comparisons_a_warning() -> None:
    alone = found(given(Mark(A, success=True), Mark(B, success=True)))
    assert alone["undecided"].level == "error"
    beside = found(given(Mark(A, success=True), Comparison(A, B, 1.0)))
    assert set(beside) == {"one_class"}
    assert "at least one failure" in beside["one_class"].sentence


def test_kinds_that_order_nothing_are_no_error() -> None:
    assert found(given(Sentence("slowly"))) == {}


def test_a_clip_against_itself_is_told() -> None:
    assert "self" in found(given(Comparison(A, A, 1.0), Comparison(A, B, 1.0)))


def test_errors_come_first() -> None:
    levels = [problem.level for problem in problems(given(Mark(Clip("x"), success=True)), ["a"])]
    assert levels == ["error", "error", "warning"]
