"""Where an object is that the detector misses: the pictures' flow, the gripper's motion."""

from __future__ import annotations

import numpy as np
import pytest
from film import HARDWARE, Film, Tale, arm, seen, tip
from painter import look, thing
from sinew_core.types import FloatArray, Keypoint
from sinew_perception.tracking.config import Config
from told_detector import SPEC, ToldDetector

LIFTED = {"shoulder_pan": 0.5, "shoulder_lift": -1.1}


def at(position: FloatArray) -> Keypoint:
    return seen(*position)


def closed_on_cube(tale: Tale) -> Keypoint:
    """Let the jaws close around a cube at the tip until it stops them."""
    cube = at(tip(arm()))
    for aperture in (1.0, 0.9, 0.75, 0.6, 0.5, 0.5, 0.5, 0.5):
        held = tale.tell(arm(aperture), red_cube=cube).keypoints["red_cube"]
    return held


def test_flow_follows_what_the_detector_misses() -> None:
    film = Film(Config(detector=SPEC))
    cube = thing("red cube", 0.2, 0.0)
    ToldDetector.says = {"red_cube": at(np.array(cube.position))}
    film.paint(cube)
    ToldDetector.says = {}
    for y in np.arange(1, 11) * 0.004:
        percept = film.paint(thing("red cube", 0.2, float(y)))
    keypoint = percept.keypoints["red_cube"]
    assert keypoint.visible
    assert np.linalg.norm(keypoint.position - [0.2, 0.04, 0.014]) < 0.008


def test_what_the_jaws_closed_on_is_held() -> None:
    assert closed_on_cube(Tale()).held


def test_a_held_object_goes_where_the_tip_goes_though_nobody_sees_it() -> None:
    tale = Tale()
    closed_on_cube(tale)
    there = arm(0.5, **LIFTED)
    percept = tale.tell(there, periods=5)
    keypoint = percept.keypoints["red_cube"]
    assert (keypoint.held, keypoint.visible) == (True, False)
    assert np.linalg.norm(tip(there) - tip(arm())) > 0.05
    np.testing.assert_allclose(keypoint.position, tip(there), atol=1e-9)


def test_a_held_object_turns_with_the_tip() -> None:
    tale = Tale()
    closed_on_cube(tale)
    turned = arm(0.5)
    roll = HARDWARE.robot.joint_names.index("wrist_roll")
    turned[roll] += 0.4
    yaw = tale.tell(turned).keypoints["red_cube"].yaw
    assert yaw is not None
    assert abs(yaw) == pytest.approx(0.4, abs=0.05)


def test_what_is_held_is_not_lost_however_long_it_is_hidden() -> None:
    tale = Tale()
    closed_on_cube(tale)
    percepts = [tale.tell(arm(0.5)) for _ in range(150)]
    assert not any(percept.lost for percept in percepts)
    assert 0 < percepts[-1].keypoints["red_cube"].confidence <= 0.5


def test_what_the_jaws_let_go_of_stays() -> None:
    tale = Tale()
    closed_on_cube(tale)
    there = tip(arm(0.5, **LIFTED))
    tale.tell(arm(0.5, **LIFTED))
    keypoint = tale.tell(arm(0.9, **LIFTED)).keypoints["red_cube"]
    assert not keypoint.held
    away = tale.tell(arm(0.9)).keypoints["red_cube"]
    np.testing.assert_allclose(away.position, there, atol=1e-9)


def test_jaws_that_close_on_nothing_hold_nothing() -> None:
    tale = Tale()
    cube = at(tip(arm()))
    for aperture in (1.0, 0.7, 0.4, 0.1, 0.0, 0.0, 0.0, 0.0):
        percept = tale.tell(arm(aperture), red_cube=cube)
    assert not percept.keypoints["red_cube"].held


def test_what_stands_beside_the_jaws_is_not_held() -> None:
    tale = Tale()
    cube = at(tip(arm()) + np.array([0.0, 0.05, 0.0]))
    for aperture in (1.0, 0.7, 0.5, 0.5, 0.5, 0.5):
        percept = tale.tell(arm(aperture), red_cube=cube)
    assert not percept.keypoints["red_cube"].held


def test_what_the_jaws_only_seemed_to_hold_stays_on_the_table() -> None:
    film = Film()
    x, y, _ = tip(arm())
    frames = look(HARDWARE, thing("red cube", x, y, lift=tip(arm())[2] - 0.014))
    for aperture in (1.0, 0.8, 0.6, 0.5, 0.5, 0.5, 0.5):
        percept = film.show(frames, arm(aperture))
    assert percept.keypoints["red_cube"].held
    percept = film.show(frames, arm(0.5, **LIFTED))
    percept = film.show(frames, arm(0.5, **LIFTED))
    keypoint = percept.keypoints["red_cube"]
    assert keypoint.visible
    assert not keypoint.held
    assert np.linalg.norm(keypoint.position - tip(arm())) < 0.005
