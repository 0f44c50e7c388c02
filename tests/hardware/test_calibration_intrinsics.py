from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from calibration_truth import LENS, SIZE, board_at, corners_at, lens_views
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.errors import ConfigError
from sinew_hardware.calibration.board import NO_CORNERS, Corners
from sinew_hardware.calibration.intrinsics import calibrate_intrinsics, held_out_error
from sinew_hardware.emulators.calibration_scene import wrist_scene


def some(view: Corners, keep: np.ndarray) -> Corners:
    return Corners(view.ids[keep], view.pixels[keep], view.points[keep])


def test_a_lens_from_pictures_fits_pictures_that_it_has_not_seen() -> None:
    scene = wrist_scene(0)
    views = scene.lens_views(16)
    found, true = calibrate_intrinsics(views[:13], SIZE), scene.lens
    assert held_out_error(found.intrinsics, views[13:]) < 0.3
    assert found.reprojection_px < 0.3
    assert found.intrinsics.fx == pytest.approx(true.fx, rel=0.005)
    assert found.intrinsics.fy == pytest.approx(true.fy, rel=0.005)
    assert not found.rejected


def test_the_error_of_views_left_out_is_the_noise_of_the_corners() -> None:
    found = calibrate_intrinsics(lens_views(1, 30), SIZE)
    assert found.reprojection_px == pytest.approx(0.15 * np.sqrt(2), rel=0.15)
    assert found.fit_px < found.reprojection_px


def test_the_focal_length_is_as_uncertain_as_is_said() -> None:
    off = []
    for seed in range(4):
        found = calibrate_intrinsics(lens_views(seed), SIZE)
        off.append((found.intrinsics.fx / LENS.fx - 1) / found.focal_std)
    assert 0.1 < np.sqrt(np.mean(np.square(off))) < 3


def test_a_guess_changes_nothing_where_the_views_tell() -> None:
    views = lens_views(2)
    alone = calibrate_intrinsics(views, SIZE).intrinsics
    guess = IntrinsicsConfig(500.0, 500.0, 310.0, 250.0, (-0.1, 0.0, 0.0, 0.0))
    guided = calibrate_intrinsics(views, SIZE, guess).intrinsics
    assert guided.fx == pytest.approx(alone.fx, rel=1e-4)


def test_a_view_with_moved_corners_is_dropped_with_a_reason() -> None:
    views = lens_views(3)
    clean = calibrate_intrinsics(views, SIZE).intrinsics
    smeared = views[5].pixels + np.random.default_rng(0).normal(0, 2, views[5].pixels.shape)
    views[5] = replace(views[5], pixels=smeared)
    found = calibrate_intrinsics(views, SIZE)
    assert list(found.rejected) == [5]
    assert "corners are off by" in found.rejected[5]
    assert found.per_view_px[5] is None
    assert found.per_view_px[4] is not None
    assert found.intrinsics.fx == pytest.approx(clean.fx, rel=2e-3)


def test_views_that_show_too_little_are_dropped_with_a_reason() -> None:
    views = lens_views(4, 16)
    row = views[0].points[:, 1] == views[0].points[0, 1]
    row = some(views[0], views[0].points[:, 1] == views[0].points[0, 1])
    twice = Corners(np.tile(row.ids, 3), np.tile(row.pixels, (3, 1)), np.tile(row.points, (3, 1)))
    views += [NO_CORNERS, some(views[0], np.arange(5)), twice]
    found = calibrate_intrinsics(views, SIZE)
    assert found.rejected[16] == "the board is not seen"
    assert "only 5 corners" in found.rejected[17]
    assert "one row" in found.rejected[18]


def test_one_view_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"1 usable view\(s\).*View 1: the board is not seen"):
        calibrate_intrinsics([lens_views(0, 1)[0], NO_CORNERS], SIZE)


def test_no_view_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 usable"):
        calibrate_intrinsics([], SIZE)


def test_views_of_the_middle_alone_are_refused_with_where_to_hold_the_board() -> None:
    views = [some(v, np.linalg.norm(v.pixels - [200, 150], axis=1) < 170) for v in lens_views(5, 40)]
    with pytest.raises(ConfigError, match="show it at the .*bottom right"):
        calibrate_intrinsics([v for v in views if len(v) >= 8], SIZE)


def test_boards_that_all_face_the_camera_are_refused() -> None:
    with pytest.raises(ConfigError, match="lean it"):
        calibrate_intrinsics(lens_views(6, 24, tilt=0.05), SIZE)


def test_boards_tilted_about_one_axis_only_are_refused() -> None:
    rng = np.random.default_rng(7)
    views = []
    while len(views) < 20:
        pixel = rng.uniform(0.1, 0.9, 2) * SIZE
        X = board_at(pixel, rng.uniform(0.18, 0.35), rng.uniform(-0.7, 0.7), 0.0, 0.0)
        corners = corners_at(X, rng)
        if len(corners) >= 12:
            views.append(corners)
    with pytest.raises(ConfigError, match="lean it"):
        calibrate_intrinsics(views, SIZE)
