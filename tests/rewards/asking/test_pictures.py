"""What a person sees: each clip on its side, its end, the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_questions import pictured, question
from PIL import Image
from sinew_core.errors import ConfigError
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.export.video import decoded_frames
from sinew_data.feedback.types import Clip
from sinew_rewards.asking.clip_frames import WIDTH, at_moment, common_cameras, read_clip
from sinew_rewards.asking.material import candidates, read_material
from sinew_rewards.asking.question_sheet import question_sheet
from sinew_rewards.asking.side_by_side import moments, picture_at, write_video

ASKED = question(0)


def test_a_sheet_shows_the_first_clip_left_and_the_ends_large() -> None:
    sheet = np.asarray(question_sheet(ASKED))
    middle = 60 + 200
    assert sheet[middle, 300].tolist() == [30, 30, 30]
    assert sheet[middle, 900].tolist() == [210, 210, 210]


def test_clips_of_different_shapes_fit_on_one_sheet() -> None:
    high = replace(ASKED, second=pictured("b", 200, height=48))
    assert question_sheet(high).height > question_sheet(ASKED).height


def test_the_instruction_is_told_once_where_both_have_the_same() -> None:
    assert ASKED.title == "1 of 3:  push the cube"
    other = replace(ASKED, second=replace(ASKED.second, instruction="lift it"))
    assert other.title == "1 of 3:  push the cube  |  lift it"


def test_a_moment_shows_what_was_seen_by_then() -> None:
    high = replace(ASKED, second=pictured("b", 200, height=95))
    picture = picture_at(high, 0.55)
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0
    assert picture[60, -4].tolist() == [205, 205, 205]
    assert at_moment(ASKED.first.frames, 5.0) is ASKED.first.frames[-1]


def test_moments_go_to_the_end_and_stay() -> None:
    found = moments(ASKED)
    assert found[0] == 0.0 and found[10:] == [1.0] * len(found[10:])


def test_a_video_has_every_moment(tmp_path: Path) -> None:
    mp4, gif = tmp_path / "q.mp4", tmp_path / "q.gif"
    wide = replace(ASKED, first=pictured("a", 20, height=96), second=pictured("b", 200, height=96))
    write_video(mp4, wide)
    write_video(gif, wide)
    height, width = picture_at(wide, 0.0).shape[:2]
    assert len(list(decoded_frames(mp4, height, width))) == len(moments(wide))
    with Image.open(gif) as image:
        assert image.size == (width, height)
    with pytest.raises(ConfigError, match="mp4 or"):
        write_video(tmp_path / "q.avi", wide)


def test_frames_of_a_clip_are_those_of_its_time(recorded: Callable[..., Path]) -> None:
    materials, _ = read_material(recorded(30), "", None)
    [_, clip, *_] = candidates(materials, 10 / 30)
    frames = read_clip(materials[0].summary.path, clip.clip, ["top"])
    assert len(frames) == 10
    assert [frame.at for frame in frames] == pytest.approx(np.arange(10) / 30, abs=1e-6)
    assert frames[0].pixels.shape == (WIDTH * 24 // 32, WIDTH, 3)


def test_several_cameras_are_one_below_the_other(recorded: Callable[..., Path]) -> None:
    path = Dataset(recorded(5)).paths()[0]
    one, two = (read_clip(path, Clip("a"), cameras)[0].pixels for cameras in (["top"], ["top", "side"]))
    assert two.shape[0] > 2 * one.shape[0]
    assert np.array_equal(two[: len(one)], one)


def test_a_clip_before_any_frame_is_an_error(recorded: Callable[..., Path]) -> None:
    path = Dataset(recorded(5)).paths()[0]
    with pytest.raises(EpisodeError, match="'top' has no frame"):
        read_clip(path, Clip("a", 0, 1), ["top"])


def test_an_unknown_camera_is_named(recorded: Callable[..., Path]) -> None:
    summaries = Dataset(recorded(5)).episodes()
    assert len(common_cameras(summaries, ())) == 1
    with pytest.raises(ConfigError, match="Did you mean 'top'"):
        common_cameras(summaries, ["topp"])
