"""A full disk: adding stops with a sentence, what is stored stays, and adding goes on when there is room."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from replay_makers import SCHEMA, Episode, action, check_batch, observation, play, reward
from sinew_data.replay import Column, ReplayBuffer, ReplayError, Schema
from small_disk import SmallDisk

LARGE = Schema({"state": Column((2,), "float32"), "top": Column((64, 64, 3), "uint8")}, 2, {})
FULL = "No space left on device|File too large"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.close()


def add_until_full(buffer: ReplayBuffer) -> int:
    """Add one long episode; return how many steps found room."""
    buffer.begin(observation(0, LARGE))
    with pytest.raises(ReplayError, match=FULL):
        for number in range(10_000):
            buffer.add(action(number), reward(number), observation(number + 1, LARGE))
    return buffer.added


def test_a_full_disk_leaves_what_is_stored_and_adding_goes_on_later(disk: SmallDisk) -> None:
    folder, filler = disk.folder / "replay", disk.folder / "filler"
    try:
        buffer = ReplayBuffer.create(folder, LARGE, 1000)
    except ReplayError:
        pytest.skip("no small disk can be mounted here, and a limit on files forbids sparse ones")
    filler.write_bytes(bytes(1 << 20))
    added = add_until_full(buffer)
    assert 50 < added < 100
    whole = [Episode(0, added)]
    assert check_batch(buffer.sample(np.random.default_rng(0), 600), whole, 1, 1.0) == set(range(added))
    buffer.close()
    with ReplayBuffer.open(folder, LARGE) as again:
        assert again.added == added
        check_batch(again.sample(np.random.default_rng(0), 100), whole, 1, 1.0)
        filler.unlink()
        play(again, Episode(added + 1, 5), LARGE)
        assert again.added == added + 5


def test_no_room_for_a_new_buffer_is_said(disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(ReplayError, match=FULL):
        ReplayBuffer.create(disk.folder / "replay", LARGE, 1000)


@pytest.mark.parametrize("room", [0, 7, 20, 60, 80, 92])
def test_a_step_that_found_no_room_can_be_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    original, left = os.pwrite, 10**9

    def limited(handle: int, data: memoryview, offset: int) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = original(handle, bytes(data)[:left], offset)
        left -= written
        return written

    monkeypatch.setattr(os, "pwrite", limited)
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 10) as buffer:
        play(buffer, Episode(0, 3))
        buffer.begin(observation(4))
        left = room
        with pytest.raises(ReplayError, match=r"replay: No space left on device"):
            buffer.add(action(4), reward(4), observation(5))
        assert (buffer.added, len(buffer)) == (3, 3)
        left = 10**9
        buffer.add(action(4), reward(4), observation(5))
        batch = buffer.sample(np.random.default_rng(0), 60)
        assert check_batch(batch, [Episode(0, 3), Episode(4, 1)], 1, 1.0) == {0, 1, 2, 4}
