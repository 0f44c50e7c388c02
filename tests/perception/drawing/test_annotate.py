"""Claims about annotated images: what is drawn where, and that the camera's own image stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, FloatArray, ImageArray, JointState, Keypoint, Refusal, RewardEstimate
from sinew_perception.drawing.annotate import NEXT, SURE, UNSURE, WAY, Annotator
from sinew_perception.drawing.canvas import Canvas
from sinew_perception.drawing.view import View

BALL = np.array([0.22, 0.05, 0.015])
BOWL = np.array([0.22, -0.08, 0.015])


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


@pytest.fixture
def view(hardware: Hardware) -> View:
    home = hardware.robot.home
    return View(JointState(0, home, np.zeros_like(home)), "put the red ball in the blue bowl")


def image() -> ImageArray:
    return np.full((240, 320, 3), 90, np.uint8)


def pixel(hardware: Hardware, point: FloatArray) -> FloatArray:
    """Where a point is in the top camera's image, by the pinhole equation."""
    model = hardware.cameras["top"]
    x, y, z = np.linalg.inv(model.X_LC)[:3] @ np.append(point, 1.0)
    return np.array([model.fx * x / z + model.cx, model.fy * y / z + model.cy])


def colour_at(drawn: ImageArray, at: FloatArray) -> tuple[int, ...]:
    column, row = np.rint((at + 0.5) * drawn.shape[1] / 320 - 0.5).astype(int)
    return tuple(drawn[row, column].tolist())


def test_a_keypoint_is_drawn_where_the_camera_sees_it(hardware: Hardware, view: View) -> None:
    drawn = Annotator(hardware, "top").draw(image(), replace(view, keypoints={"red_sphere": Keypoint(BALL)}))
    assert colour_at(drawn, pixel(hardware, BALL)) == SURE


def test_an_unsure_keypoint_has_another_colour(hardware: Hardware, view: View) -> None:
    seen = {"red_sphere": Keypoint(BALL, confidence=0.4)}
    drawn = Annotator(hardware, "top").draw(image(), replace(view, keypoints=seen))
    assert colour_at(drawn, pixel(hardware, BALL)) == UNSURE


def test_a_keypoint_that_is_not_seen_is_a_ring_with_nothing_inside(hardware: Hardware, view: View) -> None:
    believed = {"red_sphere": Keypoint(BALL, visible=False)}
    drawn = Annotator(hardware, "top").draw(image(), replace(view, keypoints=believed))
    at = pixel(hardware, BALL)
    assert colour_at(drawn, at) == (90, 90, 90)
    assert colour_at(drawn, at + np.array([2.5, 0.0])) == SURE


def test_the_next_waypoint_stands_out(hardware: Hardware, view: View) -> None:
    waypoints = np.array([BALL, BOWL]) + np.array([0.0, 0.0, 0.08])
    way = Affordance(0, "", "red_sphere", waypoints, "blue_bowl", "test", np.array([True, True]))
    annotator = Annotator(hardware, "top")
    for following in (0, 1):
        reward = RewardEstimate(0, -0.5, terms={"waypoint": float(following)})
        drawn = annotator.draw(image(), replace(view, answer=way, reward=reward))
        colours = [colour_at(drawn, pixel(hardware, point)) for point in waypoints]
        assert colours[following] == NEXT
        assert colours[1 - following] == WAY


def test_points_that_the_camera_cannot_see_are_left_out(hardware: Hardware, view: View) -> None:
    beside = {"a": Keypoint(np.array([3.0, 0.0, 0.0])), "b": Keypoint(np.array([0.22, 0.0, 2.0]))}
    annotator = Annotator(hardware, "top")
    with_points = annotator.draw(image(), replace(view, keypoints=beside))
    np.testing.assert_array_equal(with_points, annotator.draw(image(), view))


def test_a_refusal_says_why(hardware: Hardware, view: View) -> None:
    refusal = Refusal(0, view.instruction, "I do not see a red ball.", (), "test")
    annotator = Annotator(hardware, "top")
    plain, refused = annotator.draw(image(), view), annotator.draw(image(), replace(view, answer=refusal))
    changed = np.flatnonzero((plain != refused).any(axis=(1, 2)))
    assert len(changed)
    assert changed.min() > 0.9 * plain.shape[0]


def test_the_image_that_was_given_stays_as_it_was(hardware: Hardware, view: View) -> None:
    given = np.full((480, 640, 3), 90, np.uint8)
    Annotator(hardware, "top").draw(given, view)
    assert (given == 90).all()


def test_a_read_only_image_can_be_drawn_on(hardware: Hardware, view: View) -> None:
    given = image()
    given.flags.writeable = False
    assert Annotator(hardware, "top").draw(given, view).shape == (480, 640, 3)


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    canvas = Canvas(image())
    for i in range(6):
        canvas.label(f"red_cube_{i} 0.99", np.array([150.0 + 4 * i, 120.0]))
    boxes = canvas.taken
    assert all(a.overlap(b) == 0 for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_long_line_ends_at_the_edge() -> None:
    canvas = Canvas(image())
    canvas.banner("put the red cube in the blue bowl " * 20)
    assert canvas.image.shape == (480, 640, 3)
