"""Whatever cut a recording off, all that is on disk comes back, and nothing is lost by trying."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from episode_makers import SMALL, leave_unfinished, record_live, write_episode
from sinew_core.hardware import Hardware
from sinew_data import mcap_file, topics
from sinew_data.episode import EpisodeEnd
from sinew_data.reader import open_episode
from sinew_data.repair import Repair, repair_file, unfinished
from sinew_data.salvage import SalvagedChunk, salvage
from sinew_data.synthetic import SyntheticScene
from sinew_data.writer import EpisodeWriter

SCRIPT = Path(__file__).with_name("killed_process.py")


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    with open_episode(path) as episode:
        return [(message.topic, message.sequence, message.data) for message in episode.raw_messages()]


def repaired(source: Path) -> Path:
    result = repair_file(source.parents[1], source)
    assert result.target is not None, result
    return result.target


def test_an_unfinished_episode_comes_back_whole(tmp_path: Path) -> None:
    good = contents(write_episode(tmp_path / "good", steps=20))
    source = leave_unfinished(tmp_path, steps=20)
    target = repaired(source)
    assert target == tmp_path / "episodes" / source.name
    assert not source.exists()
    back = contents(target)
    assert [item[:2] for item in back] == [item[:2] for item in good]
    with open_episode(target) as episode:
        end = episode.summary.end
        assert (end.outcome, end.repaired, end.steps) == ("interrupted", True, 20)
        assert len(list(episode.steps())) == 20


def test_takeovers_are_counted_anew(tmp_path: Path, hardware: Hardware) -> None:
    path, steps = record_live(tmp_path, hardware)
    source = cut_before_end(path)
    with open_episode(repaired(source)) as episode:
        assert (episode.summary.end.steps, episode.summary.end.interventions) == (len(steps), 1)
        assert set(episode.attachments()) == {"hardware.yaml", "robot.yaml", "robot.urdf"}


def cut_before_end(path: Path) -> Path:
    """Return an unfinished file of what a finished one held before its end was written."""
    data = path.read_bytes()
    source = path.parents[1] / "unfinished" / path.name
    source.write_bytes(data[: data.index(b"sinew/end") - 13])
    path.unlink()
    return source


def test_every_whole_record_before_a_cut_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcap_file.McapFile.__init__, "__defaults__", (mcap_file.LEVEL, 2000))
    source = leave_unfinished(tmp_path / "one", steps=6)
    data, name = source.read_bytes(), source.name
    with source.open("rb") as stream:
        ends = [stream.tell() for piece in salvage(stream) if isinstance(piece, SalvagedChunk)]
    assert len(ends) > 5
    everything = contents(repaired(source))
    found: list[int] = []
    for size in range(0, len(data), len(data) // 60):
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(data[:size])
        result = repair_file(tmp_path / "one", source)
        if result.target is None:
            assert source.read_bytes() == data[:size]
            assert result.reason in ("does not say what episode it is", "holds no message")
            found.append(0)
            continue
        back = contents(result.target)
        assert set(back) <= set(everything)
        assert len(back) == result.messages
        found.append(len(back))
    assert name
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] >= len(everything) - 10


def test_records_of_a_chunk_that_is_cut_off_come_back(tmp_path: Path) -> None:
    source = leave_unfinished(tmp_path, steps=200)
    with source.open("rb") as stream:
        chunks = [piece for piece in salvage(stream) if isinstance(piece, SalvagedChunk)]
    data = source.read_bytes()
    begin = data.rindex(b"\x28\xb5\x2f\xfd")  # of the last chunk's compressed records
    source.write_bytes(data[: begin + (len(data) - begin) // 2])
    count = len(contents(repaired(source)))
    last = sum(len(entries) // 2 for entries in chunks[-1].index.values())
    total = sum(len(entries) // 2 for chunk in chunks for entries in chunk.index.values())
    assert total - last < count < total


def test_a_damaged_chunk_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcap_file.McapFile.__init__, "__defaults__", (mcap_file.LEVEL, 2000))
    source = leave_unfinished(tmp_path, steps=10)
    data = bytearray(source.read_bytes())
    with source.open("rb") as stream:
        total = sum(
            len(entries) // 2
            for piece in salvage(stream)
            if isinstance(piece, SalvagedChunk)
            for entries in piece.index.values()
        )
    at = data.index(b"\x28\xb5\x2f\xfd", len(data) // 2) + 200  # within a chunk in the middle
    data[at : at + 8] = bytes(8)
    source.write_bytes(data)
    result = repair_file(tmp_path, source)
    assert result.target is not None
    assert len(result.damage) == 1
    assert total * 0.5 < len(contents(result.target)) < total


@pytest.mark.parametrize("tail", [bytes(5000), b"\xff" * 5000, b"\x06" + b"\xff" * 9])
def test_rubbish_after_the_last_record_does_no_harm(tmp_path: Path, tail: bytes) -> None:
    source = leave_unfinished(tmp_path)
    with source.open("ab") as file:
        file.write(tail)
    with open_episode(repaired(source)) as episode:
        assert episode.summary.counts[topics.EXECUTED] == 10


def test_a_file_that_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, SyntheticScene(SMALL).start())
    writer.write("/x", "std_msgs/msg/Empty", 1, 1, b"\x00\x01\x00\x00\x00")
    while writer.waiting_bytes:
        pass
    (source,) = unfinished(tmp_path)
    assert repair_file(tmp_path, source) == Repair(source, reason="is being recorded", recording=True)
    assert writer.finish(EpisodeEnd("success")).result(timeout=10).parent.name == "episodes"


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_what_cannot_be_repaired_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "unfinished" / "x.mcap"
    source.parent.mkdir()
    source.write_bytes(content)
    result = repair_file(tmp_path, source)
    assert (result.target, result.reason) == (None, "does not say what episode it is")
    assert source.read_bytes() == content
    assert [path.name for path in source.parent.iterdir()] == ["x.mcap"]


def test_an_episode_without_a_message_is_left_as_it_is(tmp_path: Path) -> None:
    source = EpisodeWriter(tmp_path, SyntheticScene(SMALL).start()).abandon().result(timeout=10)
    assert repair_file(tmp_path, source).reason == "holds no message"
    assert source.exists()


def test_a_finished_file_that_was_not_moved_yet_keeps_its_outcome(tmp_path: Path) -> None:
    path = write_episode(tmp_path)
    source = tmp_path / "unfinished" / path.name
    data = path.read_bytes()
    path.rename(source)
    assert repaired(source).read_bytes() == data


def test_an_episode_that_ended_keeps_its_outcome_without_a_summary(tmp_path: Path) -> None:
    path = write_episode(tmp_path)
    source = tmp_path / "unfinished" / path.name
    source.write_bytes(path.read_bytes()[:-100])
    path.unlink()
    with open_episode(repaired(source)) as episode:
        assert (episode.summary.end.outcome, episode.summary.end.repaired) == ("success", True)


def run_killed(what: str, dataset: Path, calls: int) -> int:
    command = [sys.executable, str(SCRIPT), what, str(dataset), str(calls)]
    return subprocess.run(command, timeout=60).returncode


def test_a_recorder_killed_at_any_moment_of_its_commit_loses_nothing(tmp_path: Path) -> None:
    for calls in itertools.count(2):  # after the file is made
        dataset = tmp_path / str(calls)
        code = run_killed("record", dataset, calls)
        left = unfinished(dataset)
        paths = [repaired(path) for path in left] or list((dataset / "episodes").glob("*.mcap"))
        with open_episode(paths[0]) as episode:
            assert episode.summary.counts[topics.EXECUTED] == 10
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert calls > 5


def test_a_repair_killed_at_any_moment_is_harmless(tmp_path: Path) -> None:
    source = leave_unfinished(tmp_path / "original")
    for calls in itertools.count():
        dataset = tmp_path / str(calls)
        shutil.copytree(tmp_path / "original", dataset)
        code = run_killed("repair", dataset, calls)
        for path in unfinished(dataset):
            repaired(path)
        assert [path.name for path in (dataset / "episodes").iterdir()] == [source.name]
        assert not list((dataset / "unfinished").iterdir())
        with open_episode(dataset / "episodes" / source.name) as episode:
            assert episode.summary.counts[topics.EXECUTED] == 10
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert calls > 3
