"""Each answer is in the log before the next question; whatever ends a session, none is lost."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from made_questions import Answering, question
from sinew_core.errors import ConfigError
from sinew_data.feedback.log import read
from sinew_data.feedback.types import Comparison
from sinew_rewards.asking.session import Session, Sitting


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "feedback.jsonl"


def session(log: Path) -> Session:
    ticks = count(100)
    return Session(log, "ann", lambda: next(ticks))


def answers(log: Path) -> list[tuple[str, float]]:
    said = [entry.said for entry in read(log).entries]
    return [(each.first.episode, each.preferred) for each in said if isinstance(each, Comparison)]


def test_keys_become_comparisons_by_a_person(log: Path) -> None:
    assert session(log).run(3, question, Answering("12=")) == Sitting(3, 0)
    assert answers(log) == [("a0", 1.0), ("a1", 0.0), ("a2", 0.5)]
    assert {(entry.who, entry.source) for entry in read(log).entries} == {("ann", "person")}


def test_an_answer_is_in_the_log_before_the_next_question(log: Path) -> None:
    seen: list[int] = []

    class Looking(Answering):
        def ask(self, question: object) -> str:
            seen.append(len(answers(log)) if log.exists() else 0)
            return super().ask(question)  # type: ignore[arg-type]

    session(log).run(3, question, Looking("121"))
    assert seen == [0, 1, 2]


def test_skipping_says_nothing(log: Path) -> None:
    assert session(log).run(3, question, Answering("s1s")) == Sitting(1, 2)
    assert answers(log) == [("a1", 1.0)]


def test_quitting_keeps_what_was_said(log: Path) -> None:
    assert session(log).run(3, question, Answering("1q")) == Sitting(1, 0)
    assert answers(log) == [("a0", 1.0)]


def test_ctrl_c_loses_nothing(log: Path) -> None:
    sitting = session(log)
    with pytest.raises(KeyboardInterrupt):
        sitting.run(3, question, Answering(["1", "2", KeyboardInterrupt()]))
    assert sitting.sitting == Sitting(2, 0)
    assert answers(log) == [("a0", 1.0), ("a1", 0.0)]


def test_undo_takes_the_last_answer_back_and_asks_again(log: Path) -> None:
    screen = Answering("1u2=")
    session(log).run(2, question, screen)
    assert screen.asked == [1, 2, 1, 2]
    assert answers(log) == [("a0", 0.0), ("a1", 0.5)]


def test_undo_of_a_skip_takes_no_answer_back(log: Path) -> None:
    session(log).run(2, question, Answering("1s2", last=[True]))
    assert answers(log) == [("a0", 1.0), ("a1", 0.0)]


def test_undo_at_the_beginning_asks_again(log: Path) -> None:
    screen = Answering("u1")
    session(log).run(1, question, screen)
    assert screen.asked == [1, 1]


def test_the_last_answer_can_be_undone(log: Path) -> None:
    session(log).run(1, question, Answering("12", last=[True]))
    assert answers(log) == [("a0", 0.0)]


def test_a_log_that_cannot_be_written_ends_the_session(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        session(tmp_path).run(1, question, Answering("1"))
