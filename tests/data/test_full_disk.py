"""A disk that is really full: recording stops with a sentence, and what is on it stays."""

from __future__ import annotations

import os
import shutil
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
from small_disk import SmallDisk

LARGE = Cameras(width=160, height=120, noise=20.0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.close()


def test_a_full_disk_loses_no_finished_episode_and_the_last_one_is_repaired_elsewhere(
    disk: SmallDisk, tmp_path: Path
) -> None:
    first = write_episode(disk.folder, steps=3, cameras=LARGE)
    scene = SyntheticScene(LARGE, rate=100.0)
    writer = EpisodeWriter(disk.folder, scene.start(), flush_interval=0.02)
    write_synthetic(writer, scene, 100, realtime=True)
    with pytest.raises(RecordingError, match=r"No space left on device|File too large"):
        writer.finish(EpisodeEnd("success")).result(timeout=10)
    (summary,) = Dataset(disk.folder).episodes()
    assert (summary.path, summary.counts[topics.EXECUTED]) == (first, 3)
    (source,) = unfinished(disk.folder)
    disk.lift()
    moved = tmp_path / "elsewhere" / "unfinished" / source.name
    moved.parent.mkdir(parents=True)
    shutil.copy(source, moved)
    target = repair_file(tmp_path / "elsewhere", moved).target
    assert target is not None
    with open_episode(target) as episode:
        assert len(list(episode.steps())) > 3


def test_a_repair_on_a_full_disk_leaves_the_original(disk: SmallDisk) -> None:
    with pytest.raises(RecordingError):
        write_episode(disk.folder, steps=400, cameras=LARGE, flush_interval=0.01)
    (source,) = unfinished(disk.folder)
    before = source.read_bytes()
    os.truncate(source, len(before) - 1000)
    disk.fill()
    with pytest.raises(OSError, match="No space left on device|File too large"):
        repair_file(disk.folder, source)
    assert source.read_bytes() == before[:-1000]
    assert [path.name for path in source.parent.iterdir()] == [source.name]
