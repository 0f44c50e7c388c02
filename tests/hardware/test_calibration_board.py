from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from calibration_truth import BOARD, LENS, SIZE, board_at
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.types import ImageArray
from sinew_hardware.calibration.board import BoardConfig, find_corners
from sinew_hardware.calibration.board_hints import why_unseen
from sinew_hardware.calibration.board_print import board_picture, true_dpi, write_board
from sinew_hardware.calibration.lens import project
from sinew_hardware.calibration.tag import TagConfig, draw_tag, find_tag
from sinew_hardware.emulators.board_view import BoardView, Look

FRONTAL = board_at(np.array([330.0, 250.0]), 0.30, 0.2, -0.1, 0.1)
SLANTED = board_at(np.array([310.0, 230.0]), 0.30, 0.5, 0.7, 0.4)


@pytest.fixture(scope="module")
def view() -> BoardView:
    return BoardView(BOARD, LENS, SIZE, Look(samples=2))


@pytest.fixture(scope="module")
def picture(view: BoardView) -> ImageArray:
    return view.render(FRONTAL, np.random.default_rng(0))


@pytest.mark.parametrize("X_CB", [FRONTAL, SLANTED])
def test_corners_are_found_to_a_tenth_of_a_pixel(view: BoardView, X_CB: np.ndarray) -> None:
    corners = find_corners(BOARD, view.render(X_CB, np.random.default_rng(1)))
    errors = corners.pixels - project(LENS, X_CB, corners.points)
    assert len(corners) == 24
    assert np.sqrt((errors**2).sum(axis=1).mean()) < 0.1
    assert np.abs(errors.mean(axis=0)).max() < 0.04


def test_part_of_the_board_is_enough(view: BoardView) -> None:
    X_CB = board_at(np.array([20.0, 200.0]), 0.25, 0.1, 0.1, 0.0)
    corners = find_corners(BOARD, view.render(X_CB, np.random.default_rng(2)))
    assert 8 <= len(corners) < 24
    assert np.abs(corners.pixels - project(LENS, X_CB, corners.points)).max() < 0.4


def test_a_board_out_of_the_picture_gives_no_corners_and_a_reason(view: BoardView) -> None:
    away = view.render(transform(np.array([2.0, 0, 0.4]), np.eye(3)), np.random.default_rng(0))
    assert len(find_corners(BOARD, away)) == 0
    assert "No marker is seen" in why_unseen(BOARD, away)


def test_a_dark_picture_is_called_dark() -> None:
    assert "dark" in why_unseen(BOARD, np.full((240, 320, 3), 4, np.uint8))


def test_a_mirrored_picture_gives_no_corners_and_is_called_mirrored(picture: ImageArray) -> None:
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    assert len(find_corners(BOARD, mirrored)) == 0
    assert "mirrored" in why_unseen(BOARD, mirrored)


def test_columns_and_rows_exchanged_give_no_corners_and_a_hint(picture: ImageArray) -> None:
    exchanged = BoardConfig((5, 7))
    assert len(find_corners(exchanged, picture)) == 0
    assert "columns and rows" in why_unseen(exchanged, picture)


def test_a_smaller_board_than_the_one_seen_is_pointed_out(picture: ImageArray) -> None:
    assert "another board" in why_unseen(BoardConfig((4, 4)), picture)


def test_markers_of_another_dictionary_are_named(picture: ImageArray) -> None:
    other = BoardConfig(dictionary="DICT_4X4_50")
    assert len(find_corners(other, picture)) == 0
    assert "DICT_5X5" in why_unseen(other, picture)


def test_a_tag_is_found_where_it_is_and_as_large_as_it_is() -> None:
    tag = TagConfig(3)
    view = BoardView(tag, LENS, SIZE)
    X_CT = transform(np.array([0, 0, 0.8]), np.eye(3))
    X_CB = transform(np.array([0.03, -0.02, 0.22]), rpy_matrix(0.3, -0.2, 0.5))
    corners = find_tag(tag, view.render(X_CB, np.random.default_rng(0), X_CT))
    true = project(LENS, X_CB, corners.points)
    outward = true - true.mean(axis=0)
    grown = ((corners.pixels - true) * outward).sum(axis=1) / np.linalg.norm(outward, axis=1)
    assert corners.ids.tolist() == [0, 1, 2, 3]
    assert np.abs(corners.pixels - true).max() < 0.15
    assert abs(grown.mean()) < 0.1  # a search for the corners themselves ends 0.2 px inside


def test_another_tag_than_the_one_asked_for_is_not_taken() -> None:
    page = board_picture(TagConfig(3), 100)
    assert len(find_tag(TagConfig(3), page)) == 4
    assert len(find_tag(TagConfig(4), page)) == 0


def test_two_tags_alike_are_no_sighting() -> None:
    page = board_picture(TagConfig(3), 100)
    assert len(find_tag(TagConfig(3), np.hstack([page, page]))) == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"marker": 0.03}, "0 < marker < square"),
        ({"squares": [7, 2]}, "at least 3"),
        ({"dictionary": "DICT_5X5_10"}, "Did you mean 'DICT_5X5_100'"),
        ({"squares": [15, 15], "dictionary": "DICT_4X4_50"}, "has 50 markers, the board needs 112"),
    ],
)
def test_a_board_that_cannot_be_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        from_mapping(BoardConfig, given, "board")


def test_a_tag_that_its_dictionary_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 586"):
        TagConfig(587)


@pytest.mark.parametrize("square", [0.03, 0.0247])
def test_a_printed_square_is_as_large_as_it_says(square: float) -> None:
    config = BoardConfig(square=square, marker=0.7 * square)
    corners = find_corners(config, board_picture(config, 150))
    across = corners.pixels[corners.ids == 4] - corners.pixels[corners.ids == 0]  # four squares apart
    assert float(across[0, 0]) / true_dpi(config, 150) * 0.0254 == pytest.approx(4 * square, rel=1e-3)


def test_a_png_knows_its_resolution(tmp_path: Path) -> None:
    write_board(tmp_path / "board.png", BOARD, 200)
    data = (tmp_path / "board.png").read_bytes()
    at = data.index(b"pHYs")
    across, down, unit = struct.unpack(">IIB", data[at + 4 : at + 13])
    assert (across, unit) == (down, 1)
    assert across == pytest.approx(true_dpi(BOARD, 200) / 0.0254, rel=1e-4)
    again = cv2.imread(str(tmp_path / "board.png"))
    np.testing.assert_array_equal(again, board_picture(BOARD, 200))


def test_a_pdf_places_the_board_at_its_true_size(tmp_path: Path) -> None:
    write_board(tmp_path / "board.pdf", BOARD, 150)
    data = (tmp_path / "board.pdf").read_bytes()
    height, width = board_picture(BOARD, 150).shape[:2]
    found = re.search(rb"([\d.]+) 0 0 ([\d.]+) ([\d.]+) ([\d.]+) cm /Board Do", data)
    assert found is not None
    drawn = np.array([float(number) for number in found.groups()])
    np.testing.assert_allclose(drawn[:2], np.array([width, height]) / true_dpi(BOARD, 150) * 72, rtol=1e-4)
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert box is not None
    np.testing.assert_allclose([float(n) for n in box.groups()], [841.89, 595.28], atol=0.01)  # A4 across


def test_a_pdf_finds_its_own_objects(tmp_path: Path) -> None:
    write_board(tmp_path / "tag.pdf", TagConfig())
    data = (tmp_path / "tag.pdf").read_bytes()
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table:].startswith(b"xref\n0 6\n")
    places = [int(line[:10]) for line in data[table:].split(b"\n")[3:8]]
    assert [data[place:].startswith(b"%d 0 obj" % n) for n, place in enumerate(places, start=1)] == [True] * 5


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.pdf or \.png"):
        write_board(tmp_path / "board.jpg", BOARD)


def test_the_drawn_tag_is_all_of_its_edge() -> None:
    drawn = draw_tag(TagConfig(), 80)
    assert drawn.shape == (80, 80)
    assert drawn[:10].max() == 0 == drawn[:, -10:].max()  # its black frame is one of its eight cells wide
