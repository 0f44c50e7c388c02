"""Processes that are killed while they add leave whole rows only, and all that they have counted."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from replay_makers import SCHEMA, check_batch, lined_up, newest_starts, play
from sinew_data.replay import ReplayBuffer

HERE = Path(__file__).parent
LINE = lined_up([(3, "truncated"), (2, "terminated")] * 4000)
CAPACITY, SPARE = 12, 2
WRITES = 8  # of a row: seven columns and the counter
BEFORE = (4, 40)  # episodes there before: the first rows, and a ring that was gone round


def die_at(folder: Path, call: int, part: float) -> None:
    """Add an episode in a child that is killed at that write, of which a part is made."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return
    try:
        buffer, original, calls = ReplayBuffer.open(folder), os.pwrite, 0

        def dying(handle: int, data: bytes, offset: int) -> int:
            nonlocal calls
            calls += 1
            if calls > call:
                if calls % WRITES:  # the system never tears the counter's eight bytes
                    original(handle, bytes(data)[: int(len(data) * part)], offset)
                os.kill(os.getpid(), signal.SIGKILL)
            return original(handle, data, offset)

        os.pwrite = dying  # type: ignore[assignment]
        play(buffer, LINE[buffer.added * 2 // 5])
    finally:
        os._exit(1)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("part", [0.0, 0.5])
def test_a_kill_at_any_write_leaves_whole_rows(tmp_path: Path, before: int, part: float) -> None:
    for call in range(3 * WRITES):
        folder = tmp_path / str(call)
        with ReplayBuffer.create(folder, SCHEMA, CAPACITY, spare=SPARE) as buffer:
            for episode in LINE[:before]:
                play(buffer, episode)
            added = buffer.added
        die_at(folder, call, part)
        whole = call // WRITES  # rows of the episode that was cut off, the first of which is its beginning
        with ReplayBuffer.open(folder, SCHEMA) as buffer:
            assert buffer.added == added + max(0, whole - 1)
            batch = buffer.sample(np.random.default_rng(0), 100)
            starts = check_batch(batch, LINE, 1, 1.0)
            first = LINE[before].first
            numbers = list(range(first + whole))[-CAPACITY:]
            assert starts == {n for n in newest_starts(LINE[:60], 10**6) if n in numbers and n + 1 in numbers}
            play(buffer, LINE[before])
            check_batch(buffer.sample(np.random.default_rng(0), 100), LINE, 1, 1.0)


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from replay_makers import SCHEMA, play
from sinew_data.replay import ReplayBuffer
from test_killed import LINE
buffer = ReplayBuffer.open_or_create(Path(sys.argv[1]), SCHEMA, 3000)
for episode in LINE[buffer.added * 2 // 5 :]:
    play(buffer, episode)
    print(buffer.added, flush=True)
"""


def told_before_kill(folder: Path, seconds: float) -> int:
    """Let a child add for that long after its first word, kill it, and return the last count it told."""
    command = [sys.executable, "-c", CHILD, str(folder), str(HERE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert select.select([child.stdout], [], [], 60)[0]
        said = child.stdout.readline()  # all of it: a kill may come between a number and its end of line
        time.sleep(seconds)
        child.kill()
        return int((said + child.stdout.read()).split(b"\n")[-2])


def test_a_killed_process_loses_nothing_that_it_has_told(tmp_path: Path) -> None:
    told = 0
    for seconds in (0.0, 0.013, 0.031):
        told = max(told_before_kill(tmp_path / "replay", seconds), told)
        with ReplayBuffer.open(tmp_path / "replay") as buffer:
            assert told <= buffer.added <= told + 5
            check_batch(buffer.sample(np.random.default_rng(0), 200), LINE, 1, 1.0)
            buffer.keep(buffer.added // 5 * 5)  # to where the child begins
