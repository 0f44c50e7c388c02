"""Names stay with their objects."""

from __future__ import annotations

import numpy as np
import pytest
from film import Film, Tale, seen
from painter import GREY, slab, thing
from sinew_core.types import Keypoint, Percept, Task

SCREEN = slab(GREY, (0.2, 0.0, 0.06), (0.09, 0.09, 0.12))


def error(percept: Percept, name: str, position: tuple[float, float, float]) -> float:
    return float(np.linalg.norm(percept.keypoints[name].position - position))


def test_the_first_names_are_the_detectors() -> None:
    percept = Tale().tell(red_cube=seen(0.2, 0), red_cube_2=seen(0.25, 0), blue_bowl=seen(0.2, 0.1))
    assert list(percept.keypoints) == ["red_cube", "red_cube_2", "blue_bowl"]
    assert all(keypoint.visible for keypoint in percept.keypoints.values())


def test_two_alike_that_pass_each_other_keep_their_names() -> None:
    film = Film()
    for x in np.linspace(0, 0.08, 8):
        near, far = thing("red cube", 0.16 + x, 0.02), thing("red cube", 0.24 - x, -0.02)
        percept = film.paint(near, far)
    assert set(percept.keypoints) == {"red_cube", "red_cube_2"}
    assert error(percept, "red_cube", near.position) < 0.003
    assert error(percept, "red_cube_2", far.position) < 0.003


def test_the_one_in_sight_does_not_take_the_name_of_its_hidden_like() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.20, 0.0), red_cube_2=seen(0.26, 0.0))
    for x in (0.25, 0.24, 0.23):
        percept = tale.tell(red_cube=seen(x, 0.02))  # the detector calls the only one so
    assert percept.keypoints["red_cube_2"].visible
    assert not percept.keypoints["red_cube"].visible
    assert error(percept, "red_cube_2", (0.23, 0.02, 0.014)) < 1e-9
    assert error(percept, "red_cube", (0.20, 0.0, 0.014)) < 1e-9


def test_a_hidden_object_is_believed_where_it_was_ever_less() -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    percepts = [film.paint(cube, SCREEN) for _ in range(4)]
    believed = [percept.keypoints["red_cube"] for percept in percepts]
    assert [keypoint.visible for keypoint in believed] == [False] * 4
    assert all(error(percept, "red_cube", cube.position) < 0.003 for percept in percepts)
    confidences = [keypoint.confidence for keypoint in believed]
    assert 1 > confidences[0] > confidences[1] > confidences[2] > confidences[3] > 0.5


def test_what_comes_out_of_hiding_has_its_name_back() -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    film.paint(cube, SCREEN, periods=10)
    percept = film.paint(thing("red cube", 0.21, 0.01))
    assert list(percept.keypoints) == ["red_cube"]
    assert percept.keypoints["red_cube"].visible


def test_what_stays_hidden_is_lost_once() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    percepts = [tale.tell() for _ in range(100)]
    assert [percept.lost for percept in percepts if percept.lost] == [("red_cube",)]
    at = next(i for i, percept in enumerate(percepts) if percept.lost)
    assert 2.0 <= (at + 1) * 0.05 <= 4.0
    assert all("red_cube" in percept.keypoints for percept in percepts[:at])
    assert all("red_cube" not in percept.keypoints for percept in percepts[at:])


def test_a_place_seen_to_be_empty_is_not_believed_for_long() -> None:
    film = Film()
    film.paint(thing("red cube", 0.2, 0.0), thing("blue cube", 0.2, 0.08))
    percepts = [film.paint(thing("blue cube", 0.2, 0.08)) for _ in range(10)]
    assert not percepts[0].keypoints["red_cube"].visible
    assert [percept.lost for percept in percepts if percept.lost] == [("red_cube",)]
    assert list(percepts[-1].keypoints) == ["blue_cube"]


def test_what_was_lost_comes_back_under_its_name() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0), blue_cube=seen(0.2, 0.1))
    tale.tell(periods=100)
    assert list(tale.tell(red_cube=seen(0.27, -0.1)).keypoints) == ["red_cube"]


def test_nobody_guesses_which_of_two_lost_alike_comes_back() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0), red_cube_2=seen(0.2, 0.1))
    tale.tell(periods=100)
    assert list(tale.tell(red_cube=seen(0.27, -0.1), periods=3).keypoints) == ["red_cube_3"]


def test_what_jumps_away_in_plain_sight_keeps_its_name() -> None:
    film = Film()
    film.paint(thing("red cube", 0.2, 0.0))
    cube = thing("red cube", 0.2, 0.09)
    percept = film.paint(cube)
    assert list(percept.keypoints) == ["red_cube"]
    assert error(percept, "red_cube", cube.position) < 0.003


def test_something_new_is_named_when_it_has_been_seen_three_times() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    both = {"red_cube": seen(0.15, 0.0), "red_cube_2": seen(0.2, 0.0)}  # the new one is nearer
    names = [set(tale.tell(**both).keypoints) for _ in range(3)]
    assert names == [{"red_cube"}, {"red_cube"}, {"red_cube", "red_cube_2"}]
    assert error(tale.tell(**both), "red_cube", (0.2, 0.0, 0.014)) < 1e-9


def test_a_flash_is_nothing_new() -> None:
    tale = Tale()
    for step in range(8):
        flash = {"green_cube": seen(0.25, 0.05)} if step % 2 else {}
        percept = tale.tell(red_cube=seen(0.2, 0.0), **flash)
    assert list(percept.keypoints) == ["red_cube"]


def test_a_piece_of_an_object_is_nothing_new() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0))
    for _ in range(5):
        percept = tale.tell(red_cube=seen(0.2, 0.0), red_pad=seen(0.215, 0.0, confidence=0.4))
    assert list(percept.keypoints) == ["red_cube"]


def test_what_falls_over_keeps_its_name() -> None:
    tale = Tale()
    tale.tell(red_cylinder=seen(0.2, 0.0))
    percept = tale.tell(red_cube=seen(0.22, 0.0), periods=40)
    assert list(percept.keypoints) == ["red_cylinder"]
    assert percept.keypoints["red_cylinder"].visible
    assert error(percept, "red_cylinder", (0.22, 0.0, 0.014)) < 1e-9


def test_what_was_never_surely_what_it_was_called_gets_another_name() -> None:
    tale = Tale()
    tale.tell(red_pad=seen(0.2, 0.0, confidence=0.4))
    percepts = [tale.tell(red_cube=seen(0.2, 0.0)) for _ in range(20)]
    assert [percept.lost for percept in percepts if percept.lost] == [("red_pad",)]
    assert list(percepts[-1].keypoints) == ["red_cube"]


def test_an_episode_begins_with_free_names() -> None:
    tale = Tale()
    tale.tell(red_cube=seen(0.2, 0.0), red_cube_2=seen(0.2, 0.1))
    tale.tracker.reset(Task("next", ""))
    percept = tale.tell(red_cube=seen(0.2, 0.1))
    assert list(percept.keypoints) == ["red_cube"]
    assert percept.lost == ()


def test_the_same_film_gives_the_same_keypoints() -> None:
    def run() -> list[dict[str, Keypoint]]:
        film = Film()
        scenes = [(thing("red cube", 0.2 + 0.004 * i, 0.0), *([SCREEN] if i == 3 else [])) for i in range(6)]
        return [dict(film.paint(*scene).keypoints) for scene in scenes]

    for a, b in zip(run(), run(), strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name].position, b[name].position)
            assert a[name].confidence == b[name].confidence


@pytest.mark.parametrize("edge", [0.004, -0.002])
def test_half_hidden_it_stays_in_its_place_and_in_sight(edge: float) -> None:
    film, cube = Film(), thing("red cube", 0.2, 0.0)
    film.paint(cube)
    percept = film.paint(cube, slab(GREY, (0.2, edge + 0.5, 0.06), (0.2, 1.0, 0.01)), periods=3)
    assert percept.keypoints["red_cube"].visible
    assert error(percept, "red_cube", cube.position) < 0.003
