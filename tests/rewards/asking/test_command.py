"""The verbs of `sinew feedback`, on small logs and datasets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.log import append, read
from sinew_data.feedback.types import Clip, Comparison, Mark, Ranking, Said, Sentence
from sinew_rewards.asking import file_screen
from sinew_rewards.asking.command import main

A, B, C = Clip("a"), Clip("b", 5), Clip("c", 0, 9)
Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object, code: int = 0) -> str:
        assert main([str(argument) for argument in arguments]) == code
        captured = capsys.readouterr()
        return captured.out + captured.err

    return call


def write(log: Path, *said: Said, who: str = "ann", first: int = 0) -> Path:
    append(log, [make_entry(each, who, first + i, "script") for i, each in enumerate(said)])
    return log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "f.jsonl", Comparison(A, B, 1.0), Ranking((A, B, C)), Sentence("slower", A))


def test_an_unknown_verb_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'merge'"):
        main(["merg"])


def test_help_names_every_verb(run: Run) -> None:
    text = run("--help")
    assert all(verb in text for verb in ("ask", "branch", "export", "list", "merge", "stats"))


def test_list_says_each_entry_in_words(run: Run, log: Path) -> None:
    text = run("list", log)
    assert "a  >  b [0.00 to the end s]" in text
    assert "slower" in text


def test_list_chooses_by_kind_and_rater(run: Run, log: Path) -> None:
    write(log, Sentence("faster"), who="bob", first=50)
    rows = [
        json.loads(row)
        for row in run("list", log, "--json", "--kind", "sentence", "--who", "bob").splitlines()
    ]
    assert [row["said"]["text"] for row in rows] == ["faster"]
    with pytest.raises(ConfigError, match="Did you mean 'mark'"):
        main(["list", str(log), "--kind", "marc"])


def test_list_tells_damaged_lines_by_number(run: Run, log: Path) -> None:
    log.write_bytes(log.read_bytes() + b'{"torn')
    assert f"{log}:4: damaged" in run("list", log)


def test_stats_counts_and_finds_problems(run: Run, log: Path) -> None:
    facts = json.loads(run("stats", log, "--json"))
    assert facts["kinds"] == {"comparison": 1, "ranking": 1, "sentence": 1}
    assert (facts["comparisons"], facts["ties"]) == (4, 0)
    write(log, Comparison(B, A, 1.0), first=50)
    assert "opposite answers" in run("stats", log)


def test_stats_of_a_lost_episode_exits_with_1(run: Run, log: Path, recorded: Callable[..., Path]) -> None:
    text = run("stats", log, "--dataset", recorded(3, 3), code=1)
    assert "episodes that are not there: c" in text


def test_merge_adds_once_and_leaves_damage_behind(run: Run, log: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "g.jsonl", Mark(A, success=True), who="bob")
    other.write_bytes(other.read_bytes() + b"rubbish\n")
    assert "4 added" in run("merge", log, other, "--into", tmp_path / "all.jsonl", code=1)
    assert "0 added" in run("merge", log, "--into", tmp_path / "all.jsonl")
    assert len(read(tmp_path / "all.jsonl").entries) == 4


@pytest.mark.parametrize("kind", ["json", "csv", "npz"])
def test_export_has_every_comparison_in_every_format(run: Run, log: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"pairs.{kind}"
    assert "4 comparisons" in run("export", log, "--out", out)
    if kind == "npz":
        arrays = np.load(out)
        rows = [{name: arrays[name][i] for name in arrays.files} for i in range(4)]
    elif kind == "json":
        rows = json.loads(out.read_text())
    else:
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [(row["first_episode"], row["second_episode"]) for row in rows] == [
        *[("a", "b")] * 2,
        ("a", "c"),
        ("b", "c"),
    ]
    assert [int(row["second_end"]) for row in rows] == [-1, -1, 9, 9]
    assert {float(row["preferred"]) for row in rows} == {1.0}


def test_export_of_an_empty_log_is_an_empty_table(run: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "f.jsonl", Sentence("well"))
    run("export", log, "--out", tmp_path / "p.npz")
    assert np.load(tmp_path / "p.npz")["preferred"].shape == (0,)


def test_export_to_an_unknown_format_is_an_error(log: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.xls"):
        main(["export", str(log), "--out", str(tmp_path / "p.xls")])


def test_ask_writes_a_sheet_and_logs_the_keys(
    run: Run, recorded: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("12q"))
    log, sheet = tmp_path / "new.jsonl", tmp_path / "sheets" / "q.png"
    options = ("--dataset", recorded(30, 30), "--log", log, "--seconds", 0.3, "--who", "ann")
    text = run("ask", *options, "--sheet", sheet)
    assert "2 answers by 'ann'" in text and str(sheet) in text
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert [entry.said.preferred for entry in read(log).entries] == [1.0, 0.0]  # type: ignore[union-attr]


def test_what_was_answered_is_not_asked_again(
    run: Run, recorded: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "new.jsonl"
    options = ("--dataset", recorded(9, 9, 9), "--log", log, "--seconds", 0.3, "--who", "ann")
    monkeypatch.setattr("sys.stdin", io.StringIO("11"))
    assert "2 of 2" in run("ask", *options, "--count", 2)
    monkeypatch.setattr("sys.stdin", io.StringIO("1"))
    assert "1 of 1" in run("ask", *options)
    pairs = {frozenset(entry.clips()) for entry in read(log).entries}
    assert len(pairs) == 3
    with pytest.raises(ConfigError, match="no pair of clips left"):
        main(["ask", *map(str, options)])


def test_ctrl_c_ends_asking_with_every_answer_in_the_log(
    run: Run, recorded: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter("1")

    def press(*_: object) -> str:
        key = next(keys, None)
        if key is None:
            raise KeyboardInterrupt
        return key

    monkeypatch.setattr(file_screen, "read_key", press)
    log = tmp_path / "new.jsonl"
    options = ("--dataset", recorded(9, 9, 9), "--log", log, "--seconds", 0.3, "--who", "ann")
    assert "1 answer by 'ann'" in run("ask", *options)
    assert len(read(log).entries) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--by", "information"], "--model"),
        (["--count", "0"], "--count"),
        (["--seconds", "nan"], "--seconds"),
        (["--window", "--sheet", "x.png"], "leave out --sheet"),
        (["--video", "x.avi"], "mp4 or"),
        (["--task", "puhs"], "no episode of the task 'puhs'"),
        (["--siblings"], "sinew feedback branch"),
        (["--camera", "back"], "camera 'back'"),
    ],
)
def test_what_cannot_be_asked_is_said(
    options: list[str], sentence: str, recorded: Callable[..., Path], tmp_path: Path
) -> None:
    given = ["--dataset", str(recorded(9, 9)), "--log", str(tmp_path / "f.jsonl"), "--seconds", "0.3"]
    with pytest.raises(ConfigError, match=sentence):
        main(["ask", *given, "--who", "ann", *options])


def test_a_window_without_a_display_says_what_to_do(
    recorded: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    given = ["--dataset", str(recorded(9, 9)), "--log", str(tmp_path / "f.jsonl"), "--seconds", "0.3"]
    with pytest.raises(ConfigError, match="leave out --window"):
        main(["ask", *given, "--who", "ann", "--window"])


def test_an_episode_that_cannot_be_read_is_left_out_and_told(
    run: Run, recorded: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = recorded(9, 9, 9)
    damaged = dataset / "episodes" / "b.mcap"
    damaged.write_bytes(damaged.read_bytes()[:-40])
    monkeypatch.setattr("sys.stdin", io.StringIO("q"))
    options = ("--dataset", dataset, "--log", tmp_path / "f.jsonl", "--seconds", 0.3, "--who", "ann")
    text = run("ask", *options)
    assert "left out" in text and "b.mcap" in text
    assert "1 of 1" in text
