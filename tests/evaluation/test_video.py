"""Videos that are encoded while the episode runs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sinew_core.types import ImageArray
from sinew_eval import video
from sinew_eval.video import FPS, SIZE_LIMIT, EpisodeVideo, VideoError, ffmpeg_executable

MS = 1_000_000  # ns


def grey(level: int, width: int = 64, height: int = 48) -> ImageArray:
    return np.full((height, width, 3), level, dtype=np.uint8)


def decode(path: Path) -> list[ImageArray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


def encode(stem: Path, stamps_ms: list[int], frames: list[ImageArray | None]) -> list[ImageArray]:
    episode = EpisodeVideo(stem)
    for stamp, frame in zip(stamps_ms, frames, strict=True):
        episode.add(stamp * MS, frame)
    path = episode.close()
    assert path is not None
    assert path.suffix == ".mp4"
    return decode(path)


def test_ten_frames_a_second_of_the_robots_time(tmp_path: Path) -> None:
    stamps = list(range(5000, 7000, 50))  # 2 s at 20 Hz; the last falls between two video frames
    frames = encode(tmp_path / "a", stamps, [grey(5 * i) for i in range(40)])
    assert len(frames) == 2 * FPS + 1


def test_a_gap_shows_the_last_frame(tmp_path: Path) -> None:
    frames = encode(tmp_path / "a", [0, 1000], [grey(40), grey(200)])
    assert len(frames) == FPS + 1
    assert frames[FPS - 1].mean() == pytest.approx(40, abs=6)
    assert frames[FPS].mean() == pytest.approx(200, abs=6)


def test_steps_without_a_frame_lengthen_the_video(tmp_path: Path) -> None:
    frames = encode(tmp_path / "a", [0, 500, 1000], [grey(40), None, None])
    assert len(frames) == FPS + 1


def test_odd_sizes_become_even(tmp_path: Path) -> None:
    frames = encode(tmp_path / "a", [0], [grey(40, 65, 49)])
    assert all(side % 2 == 0 for side in frames[0].shape[:2])


def test_the_last_moment_is_shown(tmp_path: Path) -> None:
    frames = encode(tmp_path / "a", [0, 20], [grey(40), grey(200)])
    assert frames[-1].mean() == pytest.approx(200, abs=6)


def test_a_video_beyond_the_limit_is_made_smaller(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 120, 160, 3), dtype=np.uint8)
    frames = encode(tmp_path / "a", list(range(0, 6000, 100)), list(noise))
    assert len(frames) == 60
    assert (tmp_path / "a.mp4").stat().st_size < SIZE_LIMIT


def test_no_frame_makes_no_file(tmp_path: Path) -> None:
    episode = EpisodeVideo(tmp_path / "a")
    episode.add(0, None)
    assert episode.close() is None
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_a_gif_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "ffmpeg_executable", lambda: None)
    episode = EpisodeVideo(tmp_path / "a")
    for i in range(500):
        episode.add(i * 100 * MS, grey(i % 255))
    path = episode.close()
    assert path is not None
    assert path.read_bytes()[:4] == b"GIF8"
    assert path.stat().st_size < SIZE_LIMIT


def test_a_failing_encoder_says_what_ffmpeg_said(tmp_path: Path) -> None:
    assert ffmpeg_executable() is not None
    episode = EpisodeVideo(tmp_path / "no_such_folder" / "a")

    def encode_all() -> None:
        for i in range(1000):
            episode.add(i * 100 * MS, grey(0, 640, 480))
        episode.close()

    with pytest.raises(VideoError, match="No such file"):
        encode_all()
