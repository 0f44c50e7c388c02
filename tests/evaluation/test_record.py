"""`sinew run --record`: every episode a file, whatever becomes of it."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path

import pytest
from interrupting import finish, has, start, wait_for
from page import Page
from sinew_data import open_file
from sinew_data.dataset import Dataset
from sinew_data.errors import RecordingError
from sinew_data.reader import open_episode
from sinew_data.repair import unfinished
from sinew_data.summary import EpisodeSummary
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import RunConfig, StepRecord
from support import MODELS, last_json, run_fake, write_hardware


def episodes(folder: Path) -> list[EpisodeSummary]:
    return Dataset(folder).episodes()


def make_graph(folder: Path, **changes: str) -> ProcessGraph:
    models = dict(zip((option.removeprefix("--") for option in MODELS[::2]), MODELS[1::2], strict=True))
    config = {"hardware": write_hardware(folder), "task": "pick_place", "record": str(folder / "data")}
    return ProcessGraph(RunConfig(**{**config, **models, **changes}))  # type: ignore[arg-type]


def test_every_episode_is_in_the_dataset_and_the_report_says_where(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "2", "--seed", "7", "--record", "data")
    assert done.returncode == 0, done.stderr
    recorded = episodes(tmp_path / "data")
    assert [(e.end.outcome, e.end.steps, e.start.seed) for e in recorded] == [
        ("success", 12, 7),
        ("success", 12, 8),
    ]
    assert {e.start.policy for e in recorded} == {"stand_ins:SwayPolicy"}
    assert [e.start.episode for e in recorded] == [1, 2]
    assert f"dataset: {tmp_path / 'data'}" in done.stdout
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert str(tmp_path / "data") in page.text


def test_what_is_recorded_is_what_was_run(tmp_path: Path) -> None:
    graph, steps = make_graph(tmp_path), list[StepRecord]()
    result = graph.run_episode(3, steps.append)
    graph.close()
    (summary,) = episodes(tmp_path / "data")
    assert (summary.end.outcome, summary.end.steps) == (result.outcome, result.steps)
    with open_episode(summary.path) as episode:
        for recorded, step in zip(episode.steps(), steps, strict=True):
            assert recorded.executed is not None
            assert recorded.reward is not None
            assert (recorded.executed.position == step.position).all()
            assert (recorded.executed.stamp, recorded.reward.value) == (step.stamp, step.reward)
            assert set(recorded.observation.frames) == {"top"}


def test_without_the_option_nothing_is_recorded(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "1")
    assert done.returncode == 0
    assert "dataset" not in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"fake.yaml", "out"}


def test_an_episode_that_ends_in_an_error_is_recorded_as_one(tmp_path: Path) -> None:
    run_fake(tmp_path, "--episodes", "1", "--record", "data", station="stand_ins:Unplugged")
    assert episodes(tmp_path / "data") == [], "it ended before its first step"
    policy = ("--policy", "stand_ins:TiredPolicy", *MODELS[2:])
    run_fake(tmp_path, "--episodes", "1", "--record", "data", "--force", models=policy)
    (summary,) = episodes(tmp_path / "data")
    assert (summary.end.outcome, summary.end.steps) == ("error", 5)
    assert "TiredPolicy: RuntimeError: enough" in summary.end.message


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_fake(tmp_path, "--record", "file/data")
    assert done.returncode == 2
    assert "dataset file/data: cannot be written to (Not a directory)" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_and_leaves_the_finished_episodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = make_graph(tmp_path, policy="stand_ins:SlowPolicy")
    graph.run_episode(0, lambda _: None)
    before = episodes(tmp_path / "data")[0].path.read_bytes()

    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(open_file.OpenEpisode, "flush", full)
    with pytest.raises(RecordingError, match="has stopped: No space left on device"):
        graph.run_episode(1, lambda _: None)
    graph.close()
    assert episodes(tmp_path / "data")[0].path.read_bytes() == before
    assert len(unfinished(tmp_path / "data")) == 1


def test_ctrl_c_leaves_a_proper_interrupted_episode(tmp_path: Path) -> None:
    process = start(tmp_path, "--record", "data", success_after=0)
    wait_for(has(tmp_path, "data/unfinished/*.mcap", 1))
    (growing,) = (tmp_path / "data" / "unfinished").glob("*.mcap")
    begun = growing.stat().st_size
    wait_for(lambda: growing.stat().st_size > begun)  # before its first step there is nothing to keep
    os.killpg(process.pid, signal.SIGINT)
    finish(process, tmp_path)
    for summary in episodes(tmp_path / "data"):
        assert (summary.end.outcome, summary.end.message) == ("interrupted", "interrupted by the user")
    assert len(episodes(tmp_path / "data")) == 1
    assert not unfinished(tmp_path / "data")


def test_the_json_names_the_dataset(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "1", "--record", "data", "--json")
    assert last_json(done.stdout)["config"]["record"] == "data"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["config"]["record"] == "data"
