"""Kills, full disks and other writers: every acknowledged entry is there."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from said_things import A, B, given
from sinew_core.errors import ConfigError
from sinew_data.feedback import log as feedback_log
from sinew_data.feedback.log import append, read
from sinew_data.feedback.types import Mark, Sentence

WRITER = Path(__file__).parent / "killed_writer.py"


def start_writers(log: Path, names: str) -> list[subprocess.Popen[str]]:
    return [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(log), who], stdout=subprocess.PIPE, text=True, encoding="ascii"
        )
        for who in names
    ]


def kill_after(writers: list[subprocess.Popen[str]], entries: int) -> list[str]:
    """Let each writer add so many, kill them all, and return the ids that they said are on the disk."""
    said = []
    for writer in writers:
        assert writer.stdout is not None
        said += [writer.stdout.readline().strip() for _ in range(entries)]
    time.sleep(0.003)  # so that it is hit anywhere
    for writer in writers:
        writer.kill()
    for writer in writers:
        rest, _ = writer.communicate()
        said += [line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return said


def test_killed_writers_lose_nothing_that_they_acknowledged(tmp_path: Path) -> None:
    log, acknowledged = tmp_path / "feedback.jsonl", set[str]()
    for _ in range(2):
        acknowledged |= set(kill_after(start_writers(log, "ab"), 20))
    append(log, given(Mark(A, success=True)))
    contents = read(log)
    assert len(acknowledged) >= 40
    assert acknowledged <= {entry.id for entry in contents.entries}
    assert len(contents.damaged) <= 4


def test_writers_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    log = tmp_path / "feedback.jsonl"
    kill_after(start_writers(log, "abc"), 15)
    lines = log.read_bytes().split(b"\n")
    contents = read(log)
    assert {entry.who for entry in contents.entries} == {"a", "b", "c"}
    assert len(lines) - 1 - len(contents.damaged) <= len(contents.entries)


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_leaves_the_log_whole(tmp_path: Path) -> None:
    log = tmp_path / "feedback.jsonl"
    append(log, given(Mark(A, success=True)))
    before = log.read_bytes()
    with full_at(len(before) + 50), pytest.raises(ConfigError, match="nothing of it was added"):
        append(log, given(Sentence("much to say " * 100)))
    assert log.read_bytes() == before
    append(log, given(Mark(B, success=True)))
    assert len(read(log).entries) == 2


def test_an_entry_is_synced_before_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    log = tmp_path / "feedback.jsonl"
    monkeypatch.setattr(feedback_log.os, "fsync", lambda _: seen.append(log.read_bytes()))
    append(log, given(Mark(A, success=True)))
    assert seen and seen[0].endswith(b"\n")
