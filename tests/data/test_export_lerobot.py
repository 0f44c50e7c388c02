"""A LeRobot dataset holds what was recorded: values to float32, statistics and tables of all rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from exported import SIDE, TOP, Exported
from made_episodes import PERIOD, START, TASK, make_hardware, record_steps
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_data.dataset import Dataset
from sinew_data.reader import open_episode


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


def taken_over(step: Step) -> Step:
    if not 5 <= step.index < 9:
        return step
    return replace(step, executed=replace(step.executed, source="human"))


def test_the_rows_are_the_steps_in_float32(tmp_path: Path, hardware: Hardware) -> None:
    path = record_steps(tmp_path / "set", hardware, 20, change=taken_over)
    found = Exported(tmp_path / "set", tmp_path / "out")
    with open_episode(path) as episode:
        steps = list(episode.steps(seen=False))
    assert len(found.rows) == len(steps) == 20
    for k, (row, step) in enumerate(zip(found.rows, steps, strict=True)):
        assert step.executed is not None
        assert step.reward is not None
        joints = step.observation.joints
        for name, values in (
            ("observation.state", joints.position),
            ("observation.velocity", joints.velocity),
            ("action", step.executed.position),
            ("reward", step.reward.value),
            ("reward.progress", 0.5),
            ("reward.term.near", step.reward.terms["near"]),
            ("timestamp", k / 20),
        ):
            np.testing.assert_array_equal(row[name], np.asarray(values, np.float32), err_msg=name)
        assert row["intervention"] == step.intervention == (5 <= k < 9)
        assert row["owner"] == (2 if step.intervention else 1)
        assert row["stamp"] == row["stamp.top"] == row["stamp.side"] == START + k * PERIOD
        assert (row["index"], row["frame_index"], row["episode_index"], row["task_index"]) == (k, k, 0, 0)
        assert row["next.done"] == row["next.success"] == (k == 19)
    rewards = [row["reward"] for row in found.rows]
    assert [row["next.reward"] for row in found.rows] == [*rewards[1:], rewards[-1]]


def test_the_layout_is_the_one_that_lerobot_reads(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware)
    found = Exported(tmp_path / "set", tmp_path / "out")
    files = {str(path.relative_to(found.root)) for path in found.root.rglob("*") if path.is_file()}
    assert files == {
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/sinew.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        f"videos/{SIDE}/chunk-000/file-000.mp4",
        f"videos/{TOP}/chunk-000/file-000.mp4",
    }
    info = found.info
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 20, "so101")
    assert info["data_path"].format(chunk_index=0, file_index=0) == "data/chunk-000/file-000.parquet"
    assert info["features"][TOP]["shape"] == [48, 64, 3]
    assert info["features"]["action"]["names"] == list(hardware.robot.joint_names)
    columns = {name for name, feature in info["features"].items() if feature["dtype"] != "video"}
    assert columns == set(found.rows[0])
    tasks = pq.read_table(found.root / "meta" / "tasks.parquet")
    about = json.loads(tasks.schema.metadata[b"pandas"])
    assert about["index_columns"] == ["task"]  # pandas makes the sentence the row's name
    assert tasks.to_pylist() == [{"task_index": 0, "task": TASK.instruction}]


def test_statistics_are_those_of_the_rows_and_frames(tmp_path: Path, hardware: Hardware) -> None:
    for count in (11, 20, 5):
        record_steps(tmp_path / "set", hardware, count)
    found = Exported(tmp_path / "set", tmp_path / "out")
    for name in ("observation.state", "action", "reward", "index", "intervention", "next.done"):
        values = np.array([row[name] for row in found.rows], dtype=np.float64).reshape(len(found.rows), -1)
        stats = found.stats[name]
        assert stats["count"] == [36]
        np.testing.assert_allclose(stats["mean"], values.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(stats["std"], values.std(axis=0), atol=1e-7)
        np.testing.assert_allclose(stats["min"], values.min(axis=0))
        np.testing.assert_allclose(stats["max"], values.max(axis=0))
        assert all(low <= high for low, high in zip(stats["q10"], stats["q90"], strict=True))
    first = found.episodes[0]
    states = np.array([row["observation.state"] for row in found.rows[: first["length"]]])
    np.testing.assert_allclose(first["stats/observation.state/q50"], np.quantile(states, 0.5, axis=0))
    image = found.stats[TOP]
    assert np.shape(image["mean"]) == (3, 1, 1)
    recorded = [frame for path in Dataset(tmp_path / "set").paths() for frame in recorded_frames(path, "top")]
    np.testing.assert_allclose(np.ravel(image["mean"]), np.mean(recorded, axis=(0, 1, 2)) / 255, atol=1e-9)
    np.testing.assert_allclose(np.ravel(image["std"]), np.std(recorded, axis=(0, 1, 2)) / 255, atol=1e-7)


def recorded_frames(path: Path, camera: str) -> list[np.ndarray]:
    with open_episode(path) as episode:
        return [step.observation.frames[camera].rgb for step in episode.steps(seen=False)]


def test_what_only_some_episodes_have_is_nan_in_the_others(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware, 5)
    record_steps(tmp_path / "set", hardware, 5, change=plain)
    found = Exported(tmp_path / "set", tmp_path / "out", cameras=())
    lacking = [row["episode_index"] for row in found.rows if np.isnan(row["reward.term.near"])]
    assert lacking == [1] * 5
    assert found.stats["reward.term.near"]["count"] == [5]


def plain(step: Step) -> Step:
    return replace(step, reward=replace(step.reward, terms={}))


def test_a_failed_episode_is_done_without_success(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware, 5, outcome="failure")
    found = Exported(tmp_path / "set", tmp_path / "out", cameras=())
    assert [row["next.done"] for row in found.rows] == [False] * 4 + [True]
    assert not any(row["next.success"] for row in found.rows)


def test_a_control_rate_that_is_no_whole_number_asks_for_fps(tmp_path: Path) -> None:
    record_steps(tmp_path / "set", make_hardware(tmp_path, period=0.03), 5)
    with pytest.raises(ConfigError, match=r"33\.333 Hz.*Give --fps"):
        Exported(tmp_path / "set", tmp_path / "out")
