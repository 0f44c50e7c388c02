from __future__ import annotations

import numpy as np
import pytest
from calibration_truth import SIZE, lens_views, sightings_at
from sinew_core.types import ImageArray
from sinew_hardware.calibration.board import NO_CORNERS
from sinew_hardware.calibration.extrinsics import calibrate_wrist_camera
from sinew_hardware.calibration.intrinsics import calibrate_intrinsics
from sinew_hardware.calibration.pictures import (
    GREEN,
    RED,
    YELLOW,
    annotated,
    by_arm,
    by_lens,
    contact_sheet,
    coverage_picture,
    extrinsics_sheet,
    intrinsics_sheet,
)
from sinew_hardware.emulators.calibration_scene import wrist_scene


def blank() -> ImageArray:
    return np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)


def near(picture: ImageArray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=2) < 40


def test_corners_are_marked_where_they_are_and_the_picture_stays_as_it_was() -> None:
    view, picture = lens_views(0, 1)[0], blank()
    marked = annotated(picture, view)
    rows, columns = np.nonzero(near(marked, GREEN))
    assert (picture == 120).all()
    for x, y in view.pixels:
        assert np.hypot(columns - x, rows - y).min() < 8


def test_an_arrow_leads_from_a_corner_to_where_it_is_expected() -> None:
    view = lens_views(0, 1)[0]
    marked = near(annotated(blank(), view, view.pixels + np.array([12.0, 0.0])), YELLOW)
    rows, columns = np.nonzero(marked)
    for x, y in view.pixels:
        assert np.hypot(columns - x - 20, rows - y).min() < 6  # drawn twice as long as it is, or more


def test_a_picture_without_the_board_can_be_annotated() -> None:
    assert annotated(blank(), NO_CORNERS, note="view 3").shape == blank().shape


def test_coverage_is_dark_where_no_corner_was() -> None:
    left = [view for view in lens_views(1, 30) if view.pixels[:, 0].max() < 400]
    picture = coverage_picture(left, SIZE)
    assert picture[:, 560:].mean() < picture[:, 100:300].mean() / 3


def test_a_contact_sheet_crosses_out_what_was_rejected() -> None:
    sheet = contact_sheet([blank() for _ in range(5)], [""] * 5, {3: "the board is not seen"})
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 3
    red = [
        near(sheet[r : r + height, c : c + width], RED).sum()
        for r in (0, height)
        for c in (0, width, 2 * width)
    ]
    assert red[3] > 300
    assert sum(red) == red[3]


def test_sheets_show_every_view() -> None:
    views = [*lens_views(2, 14), NO_CORNERS]
    lens = calibrate_intrinsics(views, SIZE)
    sheet = intrinsics_sheet([blank() for _ in views], views, lens)
    assert sheet.shape[1] == 4 * 320  # 16 cells: 15 views and the coverage
    scene = wrist_scene(1)
    seen = sightings_at(scene, scene.poses(12))
    found = calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens)
    assert extrinsics_sheet([blank() for _ in seen], seen, found, scene.robot, scene.lens).shape[1] == 4 * 320
    gaps = [
        np.linalg.norm(by_arm(scene.robot, found, s, scene.lens) - s.corners.pixels, axis=1) for s in seen
    ]
    assert np.sqrt(np.mean(np.concatenate(gaps) ** 2)) == pytest.approx(found.reprojection_px)


def test_a_lens_expects_corners_where_they_are_seen() -> None:
    views = lens_views(3, 14)
    found = calibrate_intrinsics(views, SIZE)
    assert np.abs(by_lens(found.intrinsics, views[0]) - views[0].pixels).max() < 1
