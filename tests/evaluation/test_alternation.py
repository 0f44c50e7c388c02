"""Whose turn it is without resets, and what a run says about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sinew_core.runtime import EpisodeResult
from sinew_eval.alternation import Alternation, Turn
from support import last_json, run_fake


def told(alternation: Alternation, outcomes: str, sentence: str = "said") -> list[Turn]:
    """Tell s(uccess) and f(ailure) in turn; return the turns that this made."""
    turns = [alternation.turn]
    for letter in outcomes:
        outcome = "success" if letter == "s" else "timeout"
        alternation.tell(EpisodeResult(alternation.turn.seed, sentence, outcome, 10))
        turns.append(alternation.turn)
    return turns


def test_ways_take_turns_in_one_scene() -> None:
    turns = told(Alternation(7, 2), "sss")
    assert [turn.way for turn in turns] == ["forward", "backward", "forward", "backward"]
    assert [turn.again for turn in turns] == [None, "", "", ""]
    assert {turn.seed for turn in turns} == {7}


def test_what_failed_is_asked_again_in_its_own_words_as_it_lies() -> None:
    turns = told(Alternation(7, 2), "sff")
    assert [turn.way for turn in turns] == ["forward", "backward", "backward", "backward"]
    assert turns[2].again == turns[3].again == "said"


def test_after_too_many_failures_the_scene_is_laid_out_anew() -> None:
    alternation = Alternation(7, 2)
    turn = told(alternation, "sfff")[-1]
    assert turn == Turn(8, "forward", None)
    assert alternation.resets == 1


def test_a_success_forgives_the_failures_before_it() -> None:
    alternation = Alternation(7, 1)
    told(alternation, "fsfsfs")
    assert alternation.resets == 0


def test_given_sentences_are_asked_for() -> None:
    turns = told(Alternation(7, 0, {"forward": "there", "backward": "back"}), "ss")
    assert [turn.again for turn in turns] == [None, "back", "there"]


def test_the_summary_counts_either_way_and_the_resets() -> None:
    alternation = Alternation(7, 0)
    told(alternation, "ssfsfs")
    figures = alternation.summary()
    assert figures["forward"]["episodes"] == 4 and figures["forward"]["successes"] == 3
    assert figures["backward"]["episodes"] == 2 and figures["backward"]["successes"] == 1
    assert figures["person_resets"] == 2
    assert figures["longest_without_reset"] == 3


def test_a_run_alternates_and_says_what_it_needed(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "4", "--alternate", "--json")
    assert done.returncode == 0, done.stderr
    figures = last_json(done.stdout)["alternation"]
    assert (figures["forward"]["successes"], figures["backward"]["successes"]) == (2, 2)
    assert figures["person_resets"] == 0
    table = (tmp_path / "out" / "episodes.csv").read_text()
    assert table.count("take the red cube off the blue cube") == 2
    assert "resets by a person" in (tmp_path / "out" / "report.html").read_text()


def test_a_run_whose_episodes_fail_counts_the_resets(tmp_path: Path) -> None:
    more = ("--alternate", "--retries", "1", "--max-steps", "3", "--no-video")
    done = run_fake(tmp_path, "--episodes", "5", *more, success_after=0)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out" / "summary.json").read_text())["alternation"]
    assert figures["person_resets"] == 2
    assert figures["backward"]["episodes"] == 0


def test_without_anybody_to_put_the_scene_in_order_the_run_ends_and_says_so(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "2", "--alternate", "--by-hand")
    assert done.returncode == 1
    assert "Put the scene in order" in done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert "nobody is at the keyboard" in summary["failure"]
    assert summary["episodes"] == 0


@pytest.mark.parametrize("option", [("--back", "take it out"), ("--by-hand",)])
def test_options_of_alternation_are_refused_without_it(tmp_path: Path, option: tuple[str, ...]) -> None:
    done = run_fake(tmp_path, "--episodes", "1", *option)
    assert done.returncode == 2
    assert "--alternate" in done.stderr
