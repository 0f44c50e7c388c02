"""Claims about things in maps: how they are told apart, joined, and placed."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.types import JointState
from sinew_perception.geometry import PosedCamera, posed_camera
from sinew_perception.ground.blobs import Blob, Maps, find_blobs
from sinew_perception.ground.lexicon import FAMILIES, SHAPES

ROWS, COLUMNS = 60, 80


@pytest.fixture(scope="module")
def camera() -> PosedCamera:
    hardware = load_hardware("sim_mujoco")
    home = hardware.robot.home
    return posed_camera(hardware, "top", JointState(0, home, np.zeros(len(home))))


class Painter:
    """Maps in which nothing is seen until it is painted."""

    def __init__(self) -> None:
        self.thing = np.full((ROWS, COLUMNS), 0.01, np.float32)
        self.family = np.full((ROWS, COLUMNS, len(FAMILIES)), 1 / len(FAMILIES), np.float32)
        self.kind = np.full((ROWS, COLUMNS, len(SHAPES)), 1 / len(SHAPES), np.float32)

    def paint(self, rows: slice, columns: slice, family: str, kind: str, sure: float = 0.98) -> None:
        self.thing[rows, columns] = 0.99
        for maps, names, name in ((self.family, FAMILIES, family), (self.kind, SHAPES, kind)):
            maps[rows, columns] = (1 - sure) / (len(names) - 1)
            maps[rows, columns, names.index(name)] = sure

    def blobs(self, camera: PosedCamera) -> list[Blob]:
        return find_blobs(Maps(self.thing, self.family, self.kind), camera, None)


def test_an_empty_table_has_no_things(camera: PosedCamera) -> None:
    assert Painter().blobs(camera) == []


def test_a_thing_in_a_bowl_of_another_colour_is_a_thing_of_its_own(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(20, 37), slice(20, 37), "blue", "bowl")
    painter.paint(slice(26, 30), slice(26, 30), "red", "cube")
    assert {blob.name for blob in painter.blobs(camera)} == {"blue_bowl", "red_cube"}


def test_a_thing_on_a_pad_of_its_colour_is_a_thing_of_its_own(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(20, 36), slice(20, 36), "green", "pad")
    painter.paint(slice(26, 30), slice(26, 30), "green", "sphere")
    assert {blob.name for blob in painter.blobs(camera)} == {"green_pad", "green_sphere"}


def test_two_shades_of_one_small_thing_are_one(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(20, 24), slice(20, 22), "blue", "cube", sure=0.95)
    painter.paint(slice(20, 24), slice(22, 24), "purple", "cube", sure=0.9)
    assert len(painter.blobs(camera)) == 1


def test_two_things_side_by_side_stay_two(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(20, 24), slice(20, 24), "blue", "cube")
    painter.paint(slice(20, 24), slice(26, 30), "blue", "cube")
    assert [blob.name for blob in painter.blobs(camera)] == ["blue_cube", "blue_cube"]


def test_a_bowl_that_the_arm_divides_is_one(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(20, 36), slice(20, 26), "red", "bowl")
    painter.paint(slice(20, 36), slice(30, 36), "red", "bowl")
    assert [blob.name for blob in painter.blobs(camera)] == ["red_bowl"]


def test_a_plate_of_the_robot_is_no_bowl(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(50, 54), slice(30, 34), "white", "bowl")
    assert painter.blobs(camera) == []


def test_without_depth_the_table_says_where_a_thing_is(camera: PosedCamera) -> None:
    painter = Painter()
    painter.paint(slice(28, 32), slice(38, 42), "red", "cube")
    (blob,) = painter.blobs(camera)
    assert blob.position == pytest.approx([0.22, 0.0, 0.014], abs=0.003)
    assert 0.015 < blob.extent[0] < 0.04
