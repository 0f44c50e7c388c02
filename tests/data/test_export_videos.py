"""Exported videos: every row's frame is found, at its exact time, within a measured error."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from exported import SIDE, TOP, Exported, shades
from made_episodes import PERIOD, START, make_hardware, record_steps, shade, without_frames
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_data.dataset import Dataset
from sinew_data.export.lerobot import Limits
from sinew_data.export.plan import make_plan
from sinew_data.export.request import ExportRequest
from sinew_data.export.video import VideoSettings, ffmpeg_executable


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


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


def test_odd_sizes_are_refused_with_what_helps(tmp_path: Path) -> None:
    record_steps(tmp_path / "set", make_hardware(tmp_path, width=63), 5)
    with pytest.raises(ConfigError, match=r"camera top has 63x48 px.*even sides.*--pixels yuv444p"):
        Exported(tmp_path / "set", tmp_path / "out")
    found = Exported(tmp_path / "set", tmp_path / "o2", settings=VideoSettings(pixels="yuv444p"))
    assert found.errors["top"].frames == 5
