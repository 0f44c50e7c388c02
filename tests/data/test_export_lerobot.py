"""A LeRobot dataset holds what was recorded: values to float32, frames to the codec, times exactly."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from made_episodes import PERIOD, START, TASK, make_hardware, record_steps, shade, without_frames
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_data.dataset import Dataset
from sinew_data.export.lerobot import LeRobotExport, Limits
from sinew_data.export.plan import make_plan
from sinew_data.export.request import ExportRequest
from sinew_data.export.video import VideoSettings, decoded_frames, ffmpeg_executable
from sinew_data.reader import open_episode

TOP, SIDE = "observation.images.top", "observation.images.side"


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


class Exported:
    """An export, read as a table."""

    def __init__(self, dataset: Path, root: Path, limits: Limits | None = None, **request: Any) -> None:
        root.mkdir()
        settings = request.pop("settings", VideoSettings())
        self.root = root
        self.plan = make_plan(Dataset(dataset), ExportRequest(whole_fps=True, **request))
        export = LeRobotExport(root, self.plan, settings, limits)
        export.write()
        self.errors = export.verify()
        self.rows = read(root, "data")
        self.episodes = read(root, "meta/episodes")
        self.info = json.loads((root / "meta" / "info.json").read_text())
        self.stats = json.loads((root / "meta" / "stats.json").read_text())

    def frames(self, key: str, row: Mapping[str, Any]) -> list[np.ndarray]:
        """Return an episode's frames by its row in the table of episodes."""
        place = {
            "chunk_index": row[f"videos/{key}/chunk_index"],
            "file_index": row[f"videos/{key}/file_index"],
        }
        path = self.root / self.info["video_path"].format(video_key=key, **place)
        height, width, _ = self.info["features"][key]["shape"]
        start = round(row[f"videos/{key}/from_timestamp"] * self.info["fps"])
        return list(decoded_frames(path, height, width))[start : start + row["length"]]


def read(root: Path, folder: str) -> list[dict[str, Any]]:
    return [
        row for path in sorted((root / folder).glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def taken_over(step: Step) -> Step:
    if not 5 <= step.index < 9:
        return step
    return replace(step, executed=replace(step.executed, source="human"))


def shades(frames: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([frame[:, : frame.shape[1] // 2 - 2].mean() for frame in frames])


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


@pytest.mark.parametrize("limits", [Limits(), Limits(data=0, video=0)])
def test_every_frame_is_found_through_the_table_of_episodes(
    tmp_path: Path, hardware: Hardware, limits: Limits
) -> None:
    counts = [12, 7, 9]
    for number, count in enumerate(counts):
        record_steps(tmp_path / "set", hardware, count, instruction=f"task {number % 2}")
    found = Exported(tmp_path / "set", tmp_path / "out", limits)
    assert [row["length"] for row in found.episodes] == counts
    ends = np.cumsum(counts)
    for number, row in enumerate(found.episodes):
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (
            ends[number] - counts[number],
            ends[number],
        )
        mine = found.rows[row["dataset_from_index"] : row["dataset_to_index"]]
        assert {each["episode_index"] for each in mine} == {number}
        assert row["tasks"] == [f"task {number % 2}"]
        assert {each["task_index"] for each in mine} == {number % 2}
        for key in (TOP, SIDE):
            frames = found.frames(key, row)
            expected = [shade(k) for k in range(row["length"])]
            np.testing.assert_allclose(shades(frames), expected, atol=3)
            seconds = row[f"videos/{key}/to_timestamp"] - row[f"videos/{key}/from_timestamp"]
            assert seconds == pytest.approx(row["length"] / 20)
    files = len(list((found.root / "data").glob("*/*")))
    assert files == (1 if limits.data else 3)
    assert len(list((found.root / "videos" / TOP).glob("*/*"))) == files


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_video_frames_lie_exactly_at_k_over_fps_and_in_the_order_of_decoding(
    tmp_path: Path, hardware: Hardware, codec: str
) -> None:
    for _ in range(2):
        record_steps(tmp_path / "set", hardware, 15)
    found = Exported(tmp_path / "set", tmp_path / "out", settings=VideoSettings(codec), cameras=("top",))
    assert found.info["features"][TOP]["info"]["video.codec"] == codec
    assert max(found.errors["top"].mean) < 3
    path = found.root / "videos" / TOP / "chunk-000" / "file-000.mp4"
    command = [
        ffmpeg_executable(),
        "-loglevel",
        "error",
        "-i",
        str(path),
        "-c",
        "copy",
        "-f",
        "framecrc",
        "-",
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    base = next(line.split(":")[1] for line in lines if line.startswith("#tb"))
    numerator, denominator = map(int, base.split("/"))
    times = [line.split(",")[1:3] for line in lines if not line.startswith("#")]
    for k, (decoded, shown) in enumerate(times):
        assert int(decoded) * numerator * 20 == int(shown) * numerator * 20 == k * denominator
    assert len(times) == 30


def test_the_decoding_error_is_measured_and_small(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware)
    error = Exported(tmp_path / "set", tmp_path / "out").errors["top"]
    assert error.frames == 20
    assert 0 < max(error.mean) < 3
    assert error.worst < 4
    exact = Exported(tmp_path / "set", tmp_path / "o2", settings=VideoSettings(crf=1, pixels="yuv444p"))
    assert max(exact.errors["top"].mean) < 1


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


def test_a_slow_camera_shows_each_frame_as_long_as_it_is_the_nearest(
    tmp_path: Path, hardware: Hardware
) -> None:
    record_steps(
        tmp_path / "set", hardware, 20, change=lambda s: s if s.index % 3 == 0 else without_frames(s, "top")
    )
    found = Exported(tmp_path / "set", tmp_path / "out")
    shown = [round((row["stamp.top"] - START) / PERIOD) for row in found.rows]
    assert shown[:6] == [0, 0, 3, 3, 3, 6]
    np.testing.assert_allclose(
        shades(found.frames(TOP, found.episodes[0])), [shade(k) for k in shown], atol=3
    )
    half = 1.5 * PERIOD + 1000
    assert all(abs(row["stamp.top"] - row["stamp"]) <= half for row in found.rows)


def test_half_the_rate_takes_every_other_step(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware, 20)
    found = Exported(tmp_path / "set", tmp_path / "out", fps=10)
    assert [row["stamp"] for row in found.rows] == [START + 2 * k * PERIOD for k in range(10)]
    assert [row["timestamp"] for row in found.rows] == [np.float32(k / 10) for k in range(10)]
    np.testing.assert_allclose(
        shades(found.frames(TOP, found.episodes[0])), [shade(2 * k) for k in range(10)], atol=3
    )


def test_rows_in_a_gap_are_left_out_on_request_and_counted(tmp_path: Path, hardware: Hardware) -> None:
    lost = (7, 8, 9)
    record_steps(
        tmp_path / "set", hardware, 20, change=lambda s: without_frames(s, "top") if s.index in lost else s
    )
    with pytest.raises(ConfigError, match=r"camera top: nothing within 25\.0 ms of 0\.350 s.*2 more"):
        make_plan(Dataset(tmp_path / "set"), ExportRequest())
    found = Exported(tmp_path / "set", tmp_path / "out", allow_gaps=True)
    kept = [k for k in range(20) if k not in lost]
    assert [row["stamp"] for row in found.rows] == [START + k * PERIOD for k in kept]
    assert [row["frame_index"] for row in found.rows] == list(range(17))
    np.testing.assert_allclose(shades(found.frames(TOP, found.episodes[0])), [shade(k) for k in kept], atol=3)
    about = json.loads((found.root / "meta" / "sinew.json").read_text())
    assert about["episodes"][0]["rows_left_out"] == {"gaps": 3, "ends": 0}


def test_without_cameras_there_are_no_videos(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware, 5, change=lambda s: without_frames(s, "top", "side"))
    found = Exported(tmp_path / "set", tmp_path / "out")
    assert len(found.rows) == 5
    assert found.info["video_path"] is None
    assert not (found.root / "videos").exists()


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


def test_odd_sizes_are_refused_with_what_helps(tmp_path: Path) -> None:
    record_steps(tmp_path / "set", make_hardware(tmp_path, width=63), 5)
    with pytest.raises(ConfigError, match=r"camera top has 63x48 px.*even sides.*--pixels yuv444p"):
        Exported(tmp_path / "set", tmp_path / "out")
    found = Exported(tmp_path / "set", tmp_path / "o2", settings=VideoSettings(pixels="yuv444p"))
    assert found.errors["top"].frames == 5


def test_a_control_rate_that_is_no_whole_number_asks_for_fps(tmp_path: Path) -> None:
    record_steps(tmp_path / "set", make_hardware(tmp_path, period=0.03), 5)
    with pytest.raises(ConfigError, match=r"33\.333 Hz.*Give --fps"):
        Exported(tmp_path / "set", tmp_path / "out")
