"""What a folder promises: going on where one was, and refusing what is not what was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay_makers import SCHEMA, Episode, check_batch, lined_up, newest_starts, observation, play
from sinew_data.replay import Column, ReplayBuffer, ReplayError, Schema, state_file

EPISODES = lined_up([(4, "truncated"), (3, "terminated"), (6, "broken off"), (5, "truncated")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A buffer with two of the episodes."""
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 100) as buffer:
        for episode in EPISODES[:2]:
            play(buffer, episode)
    return tmp_path / "replay"


def starts(buffer: ReplayBuffer, episodes: list[Episode] = EPISODES) -> set[int]:
    return check_batch(buffer.sample(np.random.default_rng(0), 300, n_step=3), episodes, 3, 1.0)


def test_a_buffer_goes_on_after_reopening(folder: Path) -> None:
    for episode in EPISODES[2:]:
        with ReplayBuffer.open(folder, SCHEMA) as buffer:
            play(buffer, episode)
    with ReplayBuffer.open(folder) as buffer:
        assert buffer.schema == SCHEMA
        assert buffer.added == len(buffer) == 18
        assert starts(buffer) == newest_starts(EPISODES, 100)


def test_an_episode_does_not_go_on_after_reopening(folder: Path) -> None:
    with ReplayBuffer.open(folder) as buffer:
        play(buffer, EPISODES[2])
    with ReplayBuffer.open(folder) as buffer, pytest.raises(ReplayError, match="no episode is running"):
        buffer.add(np.zeros(2, np.float32), 0.0, observation(0))


def test_open_or_create_does_either(tmp_path: Path) -> None:
    for added in (4, 8):
        with ReplayBuffer.open_or_create(tmp_path / "replay", SCHEMA, 100) as buffer:
            play(buffer, EPISODES[0])
            assert buffer.added == added
    with pytest.raises(ReplayError, match="capacity is 100 there, 50 was asked for"):
        ReplayBuffer.open_or_create(tmp_path / "replay", SCHEMA, 50)
    ReplayBuffer.open(tmp_path / "replay").close()


def test_a_folder_takes_room_only_for_what_was_added(tmp_path: Path) -> None:
    wide = Schema({"top": Column((128, 128, 3), "uint8")}, 2, {})
    with ReplayBuffer.create(tmp_path / "replay", wide, 100_000) as buffer:
        play(buffer, Episode(0, 20), wide)
    used = sum(path.stat().st_blocks * 512 for path in (tmp_path / "replay").iterdir())
    assert 21 * 49152 <= used < 30 * 49152


def test_the_files_can_be_read_by_numpy_alone(folder: Path) -> None:
    with ReplayBuffer.open(folder) as buffer:
        play(buffer, EPISODES[2])
    described = json.loads((folder / "schema.json").read_text())
    slots = described["capacity"] + described["spare"]
    rows = int(np.fromfile(folder / "state.bin", "<i8", 1, offset=8)[0])
    shape = described["schema"]["observation"]["top"]["shape"]
    top = np.memmap(folder / "observation.top.bin", np.uint8, "r", shape=(slots, *shape))
    flags = np.fromfile(folder / "flags.bin", np.uint8)[:rows]
    assert rows == 5 + 4 + 7
    np.testing.assert_array_equal(np.flatnonzero(flags & 1), [0, 5, 9])
    np.testing.assert_array_equal(top[12], observation(12)["top"])


def test_a_second_one_to_open_a_folder_is_told(folder: Path) -> None:
    code = (
        f"from pathlib import Path\nfrom sinew_data.replay import *\nReplayBuffer.open(Path({str(folder)!r}))"
    )
    with ReplayBuffer.open(folder) as buffer:
        with pytest.raises(ReplayError, match="is open already"):
            ReplayBuffer.open(folder)
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"{folder}: is open already" in other.stderr
        play(buffer, EPISODES[2])
    ReplayBuffer.open(folder).close()


DIFFERENT = [
    (
        replace(SCHEMA, tag={"robot": "fr3", "action": "tip"}),
        "tag robot is 'so101' there, 'fr3' was asked for",
    ),
    (replace(SCHEMA, tag={"robot": "so101"}), "tag action is 'tip' there, absent was asked for"),
    (replace(SCHEMA, action=3), "action is of length 2 there, of length 3 was asked for"),
    (
        replace(SCHEMA, observation={**SCHEMA.observation, "state": Column((4,), "float32")}),
        r"observation state is float32 \(3,\) there, float32 \(4,\) was asked for",
    ),
    (
        replace(SCHEMA, observation={"state": Column((3,), "float32")}),
        r"observation top is uint8 \(4, 5, 3\) there, absent was asked for",
    ),
]


@pytest.mark.parametrize(("schema", "sentence"), DIFFERENT)
def test_another_schema_is_refused_and_both_are_named(folder: Path, schema: Schema, sentence: str) -> None:
    with pytest.raises(ReplayError, match=f"schema.json: {sentence}"):
        ReplayBuffer.open(folder, schema)
    ReplayBuffer.open(folder, SCHEMA).close()


def described(change: dict[str, Any]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "schema.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    return spoil


SPOILS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / "schema.json").unlink(), "schema.json: cannot be read"),
    (lambda folder: (folder / "schema.json").write_text("{"), "schema.json: is not valid JSON"),
    (
        lambda folder: (folder / "schema.json").write_text("[]"),
        "schema.json: expected a JSON object, got list",
    ),
    (lambda folder: (folder / "schema.json").write_bytes(b"\xff"), "schema.json: is not valid JSON"),
    (described({"version": 2}), "version 2; expected 'sinew replay' of version 1"),
    (described({"format": "other"}), "format 'other'"),
    (described({"capacity": "many"}), "capacity: expected a whole number, got 'many'"),
    (described({"color": 1}), "unknown key 'color'"),
    (described({"capacity": 90}), r"observation.state.bin: has \d+ bytes, expected \d+"),
    (lambda folder: (folder / "action.bin").unlink(), "action.bin: No such file"),
    (
        lambda folder: os.truncate(folder / "reward.bin", 10),
        r"reward.bin: has 10 bytes, expected 656: 164 rows of 4",
    ),
    (lambda folder: (folder / "state.bin").unlink(), "state.bin: No such file"),
    (
        lambda folder: (folder / "state.bin").write_bytes(bytes(48)),
        "state.bin: is not the state of a replay buffer",
    ),
    (lambda folder: os.truncate(folder / "state.bin", 7), "state.bin: has 7 bytes"),
]


@pytest.mark.parametrize(("spoil", "sentence"), SPOILS)
def test_a_damaged_folder_is_refused_by_the_file_and_not_changed(
    folder: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ReplayError, match=sentence):
        ReplayBuffer.open(folder, SCHEMA)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_with_something_else_in_it_is_not_taken(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ReplayError, match="holds a replay buffer"):
        ReplayBuffer.create(folder, SCHEMA, 100)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReplayError, match=r"expected an empty folder; it holds notes\.txt, replay"):
        ReplayBuffer.create(tmp_path, SCHEMA, 100)
    with pytest.raises(ReplayError, match=r"notes\.txt.*(exists|Not a directory)"):
        ReplayBuffer.create(tmp_path / "notes.txt", SCHEMA, 100)


def test_a_creation_that_was_broken_off_is_made_anew(folder: Path) -> None:
    (folder / "schema.json").rename(folder / ".schema.json.tmp")
    (folder / "action.bin").unlink()
    with ReplayBuffer.open_or_create(folder, SCHEMA, 100) as buffer:
        assert buffer.added == 0
        play(buffer, EPISODES[0])
        assert starts(buffer) == {0, 1, 2, 3}


def test_after_a_power_cut_only_flushed_rows_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = ReplayBuffer.open(folder)
    play(buffer, EPISODES[2])
    buffer.flush()
    play(buffer, EPISODES[3])
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    buffer.close()
    for name, content in left.items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(state_file, "boot", lambda: b"another boot 16.")
    with ReplayBuffer.open(folder) as again:
        assert again.added == 13
        assert starts(again) == newest_starts(EPISODES[:3], 100)
    assert "the last 6, which were not flushed, are left out" in caplog.text


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Column((0,), "float32"), "at least 1"),
        (lambda: Column((1,), "float64"), "'float64'; expected one of uint8, float32"),  # type: ignore[arg-type]
        (lambda: Schema({}, 1, {}), "no columns"),
        (lambda: Schema({"a/b": Column((1,), "uint8")}, 1, {}), "'a/b'"),
        (lambda: Schema({"a": Column((1,), "uint8")}, 0, {}), "action is 0"),
        (lambda: Schema({"a": Column((1,), "uint8")}, 1, {"n": 1}), "tag 'n' is 1"),  # type: ignore[dict-item]
        (lambda: ReplayBuffer.create(None, SCHEMA, 1), "capacity is 1"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ReplayError, match=sentence):
        make()
