"""The writer never blocks, never loses what is on disk, and says what went wrong."""

from __future__ import annotations

import fcntl
import shutil
import threading
import time
from concurrent.futures import wait
from pathlib import Path

import pytest
from episode_makers import SMALL, leave_unfinished, write_episode
from failing_disk import FailingDisk
from sinew_data import topics
from sinew_data.dataset import Dataset
from sinew_data.episode import EpisodeEnd
from sinew_data.errors import EpisodeError, RecordingError
from sinew_data.open_file import OpenEpisode
from sinew_data.reader import open_episode
from sinew_data.repair import repair_file
from sinew_data.synthetic import Cameras, SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter

START = SyntheticScene(SMALL).start()
TYPE = "std_msgs/msg/Empty"
CDR = b"\x00\x01\x00\x00\x00"


def put(writer: EpisodeWriter, count: int = 1, size: int = 1000) -> list[bool]:
    return [writer.write("/x", TYPE, index, index, CDR + bytes(size)) for index in range(count)]


def test_an_episode_is_where_its_outcome_says(tmp_path: Path) -> None:
    for outcome, folder in (("success", "episodes"), ("failure", "episodes"), ("discarded", "discarded")):
        writer = EpisodeWriter(tmp_path, START)
        path = writer.finish(EpisodeEnd(outcome)).result(timeout=10)
        assert path == tmp_path / folder / f"{writer.name}.mcap"
        assert path.is_file()
    assert not list((tmp_path / "unfinished").iterdir())


def test_start_and_end_come_back_as_they_were(tmp_path: Path) -> None:
    end = EpisodeEnd("failure", "said so", 3, 1, ("a", "b"), extra={"k": "v"})
    with EpisodeWriter(tmp_path, START) as writer:
        path = writer.finish(end).result(timeout=10)
    with open_episode(path) as episode:
        assert (episode.summary.start, episode.summary.end) == (START, end)


def test_names_sort_by_time_and_are_unique(tmp_path: Path) -> None:
    writers = [EpisodeWriter(tmp_path, START) for _ in range(20)]
    names = [writer.name for writer in writers]
    wait([writer.finish(EpisodeEnd("success")) for writer in writers])
    assert len(set(names)) == 20
    assert [name[:19] for name in names] == sorted(name[:19] for name in names)


def test_two_recorders_share_a_dataset(tmp_path: Path) -> None:
    threads = [threading.Thread(target=write_episode, args=(tmp_path, 20)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [summary.counts[topics.EXECUTED] for summary in Dataset(tmp_path).episodes()] == [20, 20]


def test_a_file_is_locked_while_its_writer_lives(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, START)
    put(writer)
    while writer.waiting_bytes:
        time.sleep(0.001)
    path = tmp_path / "unfinished" / f"{writer.name}.mcap"
    with path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    writer.finish(EpisodeEnd("success")).result(timeout=10)


def test_a_stalled_disk_blocks_nobody_and_what_is_lost_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    disk.go.clear()
    writer = EpisodeWriter(tmp_path, START, queue_bytes=20_000)
    taken = put(writer, 40)  # would never return if it waited for the disk
    handle = writer.finish(EpisodeEnd("success"))
    assert not handle.done()
    assert (taken.count(True), writer.dropped) == (16, {"/x": 24})
    disk.go.set()
    with open_episode(handle.result(timeout=10)) as episode:
        assert episode.summary.end.dropped == {"/x": 24}
        assert episode.summary.counts == {"/x": 16}


def test_numbers_of_messages_show_where_some_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    disk.go.clear()
    writer = EpisodeWriter(tmp_path, START, queue_bytes=5_000, flush_interval=0.01)
    put(writer, 10)
    disk.go.set()
    while writer.waiting_bytes:
        time.sleep(0.001)
    put(writer)
    with open_episode(writer.finish(EpisodeEnd("success")).result(timeout=10)) as episode:
        numbers = [message.sequence for message in episode.raw_messages()]
    assert sorted(numbers) == [0, 1, 2, 3, 10]


def test_what_comes_after_the_end_is_dropped(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, START)
    handle = writer.finish(EpisodeEnd("success"))
    assert put(writer) == [False]
    assert writer.finish(EpisodeEnd("failure")) is handle
    with open_episode(handle.result(timeout=10)) as episode:
        assert episode.summary.end.outcome == "success"


def test_messages_are_on_disk_before_the_episode_ends(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, START, flush_interval=0.01)
    put(writer, 5)
    path = tmp_path / "unfinished" / f"{writer.name}.mcap"
    copy = tmp_path / "unfinished" / "copy.mcap"
    deadline = time.monotonic() + 10
    repaired = None
    while repaired is None and time.monotonic() < deadline:
        if path.exists():
            shutil.copy(path, copy)
            repaired = repair_file(tmp_path, copy).target
    assert repaired is not None
    with open_episode(repaired) as episode:
        assert sum(episode.summary.counts.values()) > 0
    writer.finish(EpisodeEnd("success")).result(timeout=10)


@pytest.mark.parametrize("room", [0, 10, 500, 5_000, 200_000])
def test_a_full_disk_is_an_error_and_what_is_there_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk = FailingDisk(monkeypatch, room)
    errors: list[RecordingError] = []
    scene = SyntheticScene(Cameras(width=160, height=120))
    writer = EpisodeWriter(tmp_path, scene.start(), on_error=errors.append, flush_interval=0.01)
    write_synthetic(writer, scene, 40)
    handle = writer.finish(EpisodeEnd("success"))
    with pytest.raises(RecordingError, match="has stopped: No space left on device"):
        handle.result(timeout=10)
    assert errors == [writer.error]
    assert put(writer) == [False]
    disk.room = 1 << 62
    result = repair_file(tmp_path, tmp_path / "unfinished" / f"{writer.name}.mcap")
    assert (result.target is not None) == (room == 200_000)


def test_a_disk_that_is_full_at_the_commit_leaves_the_whole_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, commit = FailingDisk(monkeypatch), OpenEpisode.commit

    def commit_on_a_full_disk(file: OpenEpisode, end: EpisodeEnd) -> Path:
        disk.room = 300
        return commit(file, end)

    monkeypatch.setattr(OpenEpisode, "commit", commit_on_a_full_disk)
    scene = SyntheticScene(SMALL)
    writer = EpisodeWriter(tmp_path, scene.start())
    write_synthetic(writer, scene, 20)
    with pytest.raises(RecordingError):
        writer.finish(EpisodeEnd("success")).result(timeout=10)
    disk.room = 1 << 62
    target = repair_file(tmp_path, tmp_path / "unfinished" / f"{writer.name}.mcap").target
    assert target is not None
    with open_episode(target) as episode:
        assert episode.summary.counts[topics.EXECUTED] == 20


def test_a_type_that_nobody_knows_costs_its_own_messages_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = EpisodeWriter(tmp_path, START)
    for index in range(3):
        writer.write("/odd", "sensor_msgs/msg/Imagg", index, index, CDR)
    put(writer, 2)
    with open_episode(writer.finish(EpisodeEnd("success")).result(timeout=10)) as episode:
        assert episode.summary.counts == {"/x": 2}
        assert episode.summary.end.dropped == {"/odd": 3}
    assert caplog.messages == [
        "/odd cannot be recorded: unknown message type 'sensor_msgs/msg/Imagg'. "
        "Did you mean 'sensor_msgs/msg/Image'?"
    ]


def test_a_file_is_free_once_the_writer_says_so(tmp_path: Path) -> None:
    for _ in range(20):
        source = leave_unfinished(tmp_path, steps=1)
        assert not repair_file(tmp_path, source).recording


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = EpisodeWriter(tmp_path / "file" / "set", START)
    put(writer, 3)
    with pytest.raises(RecordingError, match=r"file/set/unfinished/.* has stopped: Not a directory"):
        writer.finish(EpisodeEnd("success")).result(timeout=10)
    assert writer.dropped == {"/x": 3}


def test_a_folder_that_vanishes_is_an_error(tmp_path: Path) -> None:
    failed = threading.Event()
    writer = EpisodeWriter(tmp_path / "set", START, flush_interval=0.01, on_error=lambda _: failed.set())
    put(writer)
    while writer.waiting_bytes:
        time.sleep(0.001)
    shutil.rmtree(tmp_path / "set")
    assert failed.wait(timeout=10)
    assert "the file was removed while it was written" in str(writer.error)


def test_an_abandoned_episode_stays_unfinished(tmp_path: Path) -> None:
    path = leave_unfinished(tmp_path)
    assert path.parent.name == "unfinished"
    with pytest.raises(EpisodeError, match="never finished; `sinew data repair`"):
        open_episode(path)
