"""The feedback log gives back what it was given, and tells what was damaged."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import pytest
from said_things import ONE_OF_EACH, A, B, C, given
from sinew_core.errors import ConfigError
from sinew_data.feedback.entries import take_back
from sinew_data.feedback.log import add_missing, append, read
from sinew_data.feedback.types import KINDS, Comparison, Feedback, Mark, Said, Sentence
from sinew_data.feedback.wire import DamagedLineError, Unread, of_line, to_line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "new" / "feedback.jsonl"


def foreign(**changes: object) -> bytes:
    """Return a line with a good checksum and a content of its own."""
    line = json.loads(to_line(given(Sentence("word"))[0]))
    del line["sum"]
    whole = json.dumps({**line, **changes}, separators=(",", ":")).encode()[:-1]
    return whole + b',"sum":"%08x"}' % zlib.crc32(whole)


def test_every_kind_comes_back_as_it_was(log: Path) -> None:
    entries = given(*ONE_OF_EACH)
    assert {entry.kind for entry in entries} == set(KINDS)
    append(log, entries)
    contents = read(log)
    assert contents.entries == tuple(entries)
    assert (contents.damaged, contents.unknown, contents.repeated) == ((), (), 0)


@pytest.mark.parametrize("said", ONE_OF_EACH, ids=lambda said: type(said).__name__)
def test_a_line_is_one_line_of_json(said: Said) -> None:
    line = to_line(given(said)[0])
    assert b"\n" not in line
    assert json.loads(line)["format"] == 1


def test_any_changed_byte_is_noticed() -> None:
    line = to_line(given(Mark(A, success=True))[0])
    for i in range(len(line)):
        changed = line[:i] + bytes([line[i] ^ 1]) + line[i + 1 :]
        with pytest.raises(DamagedLineError):
            of_line(changed)


def test_any_cut_is_noticed() -> None:
    line = to_line(given(Mark(A, success=True))[0])
    for i in range(len(line)):
        with pytest.raises(DamagedLineError):
            of_line(line[:i])


def test_what_would_not_come_back_is_not_written(log: Path) -> None:
    endless = given(Comparison(A, B, 1.0, float("inf")))
    with pytest.raises(ValueError, match=endless[0].id):
        append(log, endless)
    with pytest.raises(ValueError, match="not be read back"):
        append(log, [Feedback(Mark(A, success=True), "ann", 1, "robot", "x")])  # type: ignore[arg-type]
    assert not log.exists()


def test_entries_come_after_what_is_there(log: Path) -> None:
    first, second = given(Mark(A, success=True), Mark(B, success=False))
    append(log, [first])
    before = log.read_bytes()
    append(log, [second])
    assert log.read_bytes().startswith(before)
    assert read(log).entries == (first, second)


def test_a_torn_last_line_is_told_and_does_not_mix_with_the_next(log: Path) -> None:
    first, torn, last = given(Mark(A, success=True), Mark(B, success=False), Mark(C, success=True))
    append(log, [first])
    piece = to_line(torn)[:40]
    log.write_bytes(log.read_bytes() + piece)
    assert [flaw.line for flaw in read(log).damaged] == [2]
    append(log, [last])
    contents = read(log)
    assert contents.entries == (first, last)
    assert [flaw.line for flaw in contents.damaged] == [2]
    assert piece in log.read_bytes()


def test_a_whole_line_without_its_end_counts(log: Path) -> None:
    first, second = given(Mark(A, success=True), Mark(B, success=False))
    append(log, [first])
    os.truncate(log, log.stat().st_size - 1)
    append(log, [second])
    assert read(log).entries == (first, second)


def test_damage_in_the_middle_hides_its_own_line_only(log: Path) -> None:
    entries = given(*ONE_OF_EACH)
    append(log, entries)
    lines = log.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"a"', b'"z"')
    lines[4] = bytes(60)
    log.write_bytes(b"\n".join(lines))
    contents = read(log)
    assert [flaw.line for flaw in contents.damaged] == [2, 5]
    assert contents.entries == (entries[0], *entries[2:4], *entries[5:])


def test_a_kind_from_a_newer_sinew_is_told_by_its_line(log: Path) -> None:
    append(log, given(Mark(A, success=True)))
    log.write_bytes(log.read_bytes() + foreign(kind="gesture", id="new") + b"\n")
    contents = read(log)
    assert len(contents.entries) == 1
    assert [(flaw.line, "'gesture'" in flaw.reason) for flaw in contents.unknown] == [(2, True)]
    assert contents.damaged == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "of format 2"),
        ({"source": "radio"}, "source"),
        ({"when": 1.5}, "when"),
        ({"mood": "good"}, "mood"),
        ({"said": {"text": ""}}, "some words"),
        ({"kind": "retraction", "said": {}}, "takes back"),
    ],
)
def test_what_is_whole_and_not_understood_says_why(changes: dict[str, object], reason: str) -> None:
    item = of_line(foreign(**changes))
    assert isinstance(item, Unread)
    assert reason in item.reason


def test_a_log_that_is_not_there_is_an_error(log: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(log)
    with pytest.raises(ConfigError, match="cannot be opened"):
        append(log.parent.parent, given(Mark(A, success=True)))


def test_an_entry_taken_back_is_gone_and_its_line_stays(log: Path) -> None:
    first, second = given(Mark(A, success=True), Mark(B, success=False))
    append(log, [first, second])
    append(log, [take_back(first, 9)])
    assert read(log).entries == (second,)
    assert len(read(log).lines) == 3


def test_the_same_entry_twice_is_one(log: Path) -> None:
    entries = given(Mark(A, success=True))
    append(log, entries)
    append(log, entries)
    assert read(log).entries == tuple(entries)
    assert read(log).repeated == 1


def test_an_id_that_says_two_things_keeps_the_first_and_is_told(log: Path) -> None:
    [entry] = given(Mark(A, success=True))
    append(log, [entry, Feedback(Mark(A, success=False), "ann", 0, "script", entry.id)])
    assert read(log).entries == (entry,)
    assert [flaw.line for flaw in read(log).damaged] == [2]


def merge(into: Path, *sources: Path) -> int:
    return len(add_missing(into, [(path, read(path)) for path in sources]))


def test_merging_adds_what_is_missing_and_nothing_twice(log: Path, tmp_path: Path) -> None:
    entries = given(*ONE_OF_EACH)
    one, other = tmp_path / "one", tmp_path / "other"
    append(one, [*entries[:4], take_back(entries[2], 50)])
    append(other, entries[3:])
    assert merge(log, one, other) == len(entries) + 1
    assert merge(log, one, other, log) == 0
    assert set(read(log).entries) == {*entries} - {entries[2]}


def test_merging_keeps_what_it_does_not_understand(log: Path, tmp_path: Path) -> None:
    source, line = tmp_path / "newer", foreign(kind="gesture", id="new")
    source.write_bytes(line + b"\n" + b"rubbish\n")
    assert merge(log, source) == 1
    assert log.read_bytes() == line + b"\n"


def test_merging_names_the_entry_that_says_two_things_and_changes_nothing(log: Path, tmp_path: Path) -> None:
    [entry] = given(Mark(A, success=True))
    append(log, [entry])
    other = tmp_path / "other"
    append(other, [*given(Sentence("new")), Feedback(Mark(A, success=False), "ann", 0, "script", entry.id)])
    before = log.read_bytes()
    with pytest.raises(ConfigError, match=f"'{entry.id}'.*line 1.*line 2"):
        merge(log, other)
    assert log.read_bytes() == before
