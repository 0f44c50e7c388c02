"""A disk that is really full: recording stops with a sentence, and what is on it stays."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from episode_makers import write_episode
from sinew_data import topics
from sinew_data.dataset import Dataset
from sinew_data.episode import EpisodeEnd
from sinew_data.errors import RecordingError
from sinew_data.reader import open_episode
from sinew_data.repair import repair_file, unfinished
from sinew_data.synthetic import Cameras, SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter

LARGE = Cameras(width=160, height=120, noise=20.0)
ROOM = 2 << 20  # bytes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; where none may be mounted, a limit on this process's files of that size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    if mounted:
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM // 2, before[1]))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_loses_no_finished_episode_and_the_last_one_is_repaired_elsewhere(
    small_disk: Path, tmp_path: Path
) -> None:
    first = write_episode(small_disk, steps=3, cameras=LARGE)
    scene = SyntheticScene(LARGE, rate=100.0)
    writer = EpisodeWriter(small_disk, scene.start(), flush_interval=0.02)
    write_synthetic(writer, scene, 100, realtime=True)
    with pytest.raises(RecordingError, match=r"No space left on device|File too large"):
        writer.finish(EpisodeEnd("success")).result(timeout=10)
    (summary,) = Dataset(small_disk).episodes()
    assert (summary.path, summary.counts[topics.EXECUTED]) == (first, 3)
    (source,) = unfinished(small_disk)
    moved = tmp_path / "elsewhere" / "unfinished" / source.name
    moved.parent.mkdir(parents=True)
    shutil.copy(source, moved)
    target = repair_file(tmp_path / "elsewhere", moved).target
    assert target is not None
    with open_episode(target) as episode:
        assert len(list(episode.steps())) > 3


def test_a_repair_on_a_full_disk_leaves_the_original(small_disk: Path) -> None:
    with pytest.raises(RecordingError):
        write_episode(small_disk, steps=400, cameras=LARGE, flush_interval=0.01)
    (source,) = unfinished(small_disk)
    before = source.read_bytes()
    os.truncate(source, len(before) - 1000)
    with (small_disk / "other").open("wb", buffering=0) as file, pytest.raises(OSError, match="space|large"):
        while True:
            file.write(bytes(1 << 20))
            file.write(bytes(1 << 10))
    with pytest.raises(OSError, match="No space left on device|File too large"):
        repair_file(small_disk, source)
    assert source.read_bytes() == before[:-1000]
    assert [path.name for path in source.parent.iterdir()] == [source.name]
