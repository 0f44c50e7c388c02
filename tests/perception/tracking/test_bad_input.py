"""What the tracker does about frames, stamps, joints and settings that are wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from film import HARDWARE, PERIOD, Film, Tale, arm, seen
from painter import look, thing
from sinew_core.errors import ConfigError
from sinew_core.plugins import build
from sinew_core.protocols import PerceptionModel
from sinew_core.types import Task
from sinew_perception.tracking.config import Config
from sinew_perception.tracking.tracker import KeypointTracker
from told_detector import ToldDetector

PLUGIN = "sinew_perception.tracking.tracker:KeypointTracker"


def test_a_frame_without_depth_is_an_error_that_changes_nothing() -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    frames = look(HARDWARE, cube)
    flat = {name: replace(frame, depth=None) for name, frame in frames.items()}
    with pytest.raises(ValueError, match=r"camera 'top'.*depth"):
        film.show(flat, arm())
    percept = film.paint(cube)
    assert list(percept.keypoints) == ["red_cube"]
    assert percept.keypoints["red_cube"].visible


def test_depth_full_of_holes_hides_and_does_not_empty() -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    blind = {
        name: replace(frame, depth=np.zeros_like(frame.depth)) for name, frame in look(HARDWARE, cube).items()
    }
    for _ in range(10):
        percept = film.show(blind, arm())
    assert not percept.keypoints["red_cube"].visible
    assert percept.lost == ()


@pytest.mark.parametrize("camera", ["top", "side"])
def test_one_camera_is_enough(camera: str) -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    percept = film.paint(cube, cameras=(camera,), periods=3)
    assert list(percept.keypoints) == ["red_cube"]
    assert np.linalg.norm(percept.keypoints["red_cube"].position - cube.position) < 0.006


def test_without_frames_everything_is_only_believed() -> None:
    film = Film()
    film.paint(thing("red cube", 0.2, 0.0))
    percept = film.show({}, arm())
    assert not percept.keypoints["red_cube"].visible


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_joints_that_are_no_numbers_are_named(value: float) -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    broken = arm()
    broken[2] = value
    with pytest.raises(ValueError, match=f"joint 'elbow_flex': got the position {value}"):
        tale.tell(broken, red_cube=seen(0.2, 0.0))
    assert tale.tell(red_cube=seen(0.2, 0.0)).keypoints["red_cube"].visible


def test_stamps_that_go_back_begin_everything_anew() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0), red_cube_2=seen(0.2, 0.1), periods=5)
    ToldDetector.says = {"red_cube": seen(0.2, 0.1)}
    percept = tale.show({}, arm(), step=-3 * PERIOD)
    assert list(percept.keypoints) == ["red_cube"]
    assert percept.lost == ()


def test_a_stamp_that_stands_still_costs_no_confidence() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    first = tale.tell().keypoints["red_cube"].confidence
    assert tale.show({}, arm(), step=0).keypoints["red_cube"].confidence == first


def test_a_gap_in_time_counts_as_time_unseen() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    ToldDetector.says = {}
    percept = tale.show({}, arm(), step=10_000_000_000)
    assert percept.lost == ("red_cube",)
    assert not percept.keypoints


def test_what_is_seen_again_after_a_gap_is_known() -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    film.stamp += 10_000_000_000
    percept = film.paint(cube)
    assert list(percept.keypoints) == ["red_cube"]
    assert percept.lost == ()


def test_nothing_in_view_is_no_keypoint() -> None:
    percept = Film().paint()
    assert not percept.keypoints
    assert percept.lost == ()


def test_an_unknown_camera_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"painted.yaml: perception: cameras: no camera 'sid'.*side"):
        KeypointTracker(Config(cameras=("sid",)), HARDWARE)


def test_an_unknown_detector_is_named_with_its_place() -> None:
    spec = {"plugin": PLUGIN, "detector": {"plugin": "sinew_perception.keypoint:KeypointDetector"}}
    with pytest.raises(ConfigError, match=r"perception: detector: there is no module 'sinew_perception.key"):
        build(spec, PerceptionModel, "perception", hardware=HARDWARE)


@pytest.mark.parametrize(
    "field", [{"lose_after": 0.1}, {"half_life": 0.0}, {"whole": 1.5}, {"born_after": 0}, {"opening": 0.0}]
)
def test_settings_out_of_range_are_errors(field: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Config(**field)  # type: ignore[arg-type]


def test_it_is_built_by_its_plugin_name_around_the_usual_detector() -> None:
    model = build({"plugin": PLUGIN}, PerceptionModel, "test", hardware=HARDWARE)
    model.reset(Task("any", ""))
    assert isinstance(model, KeypointTracker)
