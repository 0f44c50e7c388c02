from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from calibration_truth import BOARD, points_of, sightings_at
from sinew_core.errors import ConfigError
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.types import FloatArray
from sinew_hardware.calibration.arm_camera import Mounting, linearise, links
from sinew_hardware.calibration.board import NO_CORNERS, BoardConfig
from sinew_hardware.calibration.extrinsics import (
    ExtrinsicsResult,
    calibrate_fixed_camera,
    calibrate_mounting,
    calibrate_wrist_camera,
)
from sinew_hardware.calibration.hand_eye_start import hand_eye_start
from sinew_hardware.calibration.rotations import difference, inverse, rotation, rotation_vector
from sinew_hardware.calibration.sightings import Sighting
from sinew_hardware.calibration.tag import TagConfig
from sinew_hardware.emulators.calibration_scene import Scene, fixed_scene, wrist_scene

COUNT = 20


@cache
def wrist(seed: int) -> tuple[Scene, FloatArray, tuple[Sighting, ...]]:
    scene = wrist_scene(seed)
    positions = scene.poses(COUNT)
    return scene, positions, tuple(sightings_at(scene, positions))


def error(found: ExtrinsicsResult, scene: Scene) -> tuple[float, float]:
    metres, angle = difference(found.X_LC, scene.X_LC)
    return 1000 * metres, float(np.degrees(angle))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_wrist_camera_is_found_to_2_mm_and_a_third_of_a_degree(seed: int) -> None:
    scene, _, seen = wrist(seed)
    mm, degrees = error(calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens), scene)
    assert mm < 2.0
    assert degrees < 0.3


def test_a_wrist_camera_is_found_from_pictures() -> None:
    scene = wrist_scene(5)
    seen = scene.sightings(12)
    mm, degrees = error(calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens), scene)
    assert mm < 2.0
    assert degrees < 0.3


@pytest.mark.parametrize("target", [BoardConfig((5, 4), 0.024, 0.018), TagConfig(size=0.06)])
def test_a_camera_in_the_room_is_found_by_what_the_gripper_holds(target: BoardConfig | TagConfig) -> None:
    scene = fixed_scene(0, target=target)
    seen = sightings_at(scene, scene.poses(25))
    found = calibrate_fixed_camera(scene.robot, seen, scene.lens)
    mm, degrees = error(found, scene)
    assert found.link == scene.robot.base_link
    assert mm < 2.0
    assert degrees < 0.3


def test_errors_lie_within_what_is_said_of_them() -> None:
    off = []
    for seed in range(3):
        scene, _, seen = wrist(seed)
        found = calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens)
        mm, degrees = error(found, scene)
        off.append((mm / found.std_mm, degrees / found.std_deg))
    assert np.max(off) < 4
    assert np.max(off) > 0.1


def test_the_joints_errors_are_told() -> None:
    scene = replace(wrist_scene(3), joint_noise=np.radians(0.45))
    seen = sightings_at(scene, scene.poses(25))
    found = calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens)
    assert found.joint_noise == pytest.approx(3.0, rel=0.3)  # three times the 0.15 degrees assumed


def test_without_noise_the_closed_form_is_exact() -> None:
    scene = wrist_scene(0)
    q = scene.poses(10)
    X_LM = inverse(scene.robot.chain.poses("wrist_camera", q)) @ scene.robot.chain.poses("base_link", q)
    X_CB = [[scene.board_in_camera(position)] for position in q]
    X_LC, X_MB = hand_eye_start(X_LM, X_CB)
    np.testing.assert_allclose(X_LC, scene.X_LC, atol=1e-9)
    np.testing.assert_allclose(X_MB, scene.X_MB, atol=1e-9)


def test_the_closed_form_takes_the_one_of_two_poses_that_agrees_with_the_others() -> None:
    scene = wrist_scene(0)
    q = scene.poses(12)
    X_LM = inverse(scene.robot.chain.poses("wrist_camera", q)) @ scene.robot.chain.poses("base_link", q)
    true = [scene.board_in_camera(position) for position in q]
    flipped = [X @ transform(np.zeros(3), rpy_matrix(0.0, 0.6, 0.0)) for X in true]
    options = [[b, a] if i in {2, 7} else [a, b] for i, (a, b) in enumerate(zip(true, flipped, strict=True))]
    np.testing.assert_allclose(hand_eye_start(X_LM, options)[0], scene.X_LC, atol=1e-9)


def test_the_derivatives_are_those_of_the_residuals() -> None:
    scene = wrist_scene(1)
    at = links(scene.robot, "wrist_camera", "base_link", scene.poses(8)[:1])
    mounting, points = Mounting(scene.X_LC, scene.X_MB, 1.01), points_of(BOARD)
    given = (at.X_LM[0], at.along[0], points, np.zeros((len(points), 2)), np.array([440.0, 450.0]))
    found = linearise(mounting, *given).by_mounting
    for column, step in enumerate(1e-6 * np.eye(13)):
        ahead, behind = (linearise(mounting.moved(s), *given).residual for s in (step, -step))
        np.testing.assert_allclose(found[:, column], (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-3)


def test_a_view_with_a_wrong_joint_is_dropped_with_a_reason() -> None:
    scene, _, seen = wrist(1)
    bumped = list(seen)
    bumped[6] = replace(seen[6], position=seen[6].position + np.radians([0, 3, 0, 0, 0, 0]))
    found = calibrate_wrist_camera(scene.robot, "wrist_camera", bumped, scene.lens)
    assert list(found.rejected) == [6]
    assert "not where its joints say" in found.rejected[6]
    assert error(found, scene)[0] < 2.0


def test_a_view_with_smeared_corners_is_dropped_with_a_reason() -> None:
    scene, _, seen = wrist(1)
    smeared = list(seen)
    pixels = seen[3].corners.pixels + np.random.default_rng(0).normal(0, 3, seen[3].corners.pixels.shape)
    smeared[3] = replace(seen[3], corners=replace(seen[3].corners, pixels=pixels))
    found = calibrate_wrist_camera(scene.robot, "wrist_camera", smeared, scene.lens)
    assert list(found.rejected) == [3]
    assert "corners are off" in found.rejected[3]


def test_a_view_without_the_board_is_dropped() -> None:
    scene, _, seen = wrist(1)
    found = calibrate_wrist_camera(
        scene.robot, "wrist_camera", [*seen, replace(seen[0], corners=NO_CORNERS)], scene.lens
    )
    assert "not seen" in found.rejected[COUNT]


def test_too_few_views_are_refused_with_what_was_wrong_with_them() -> None:
    scene, _, seen = wrist(1)
    blind = [replace(s, corners=NO_CORNERS) for s in seen[:15]]
    with pytest.raises(ConfigError, match=r"5 usable sighting\(s\).*Sighting 3: the board is not seen"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", [*blind, *seen[15:]], scene.lens)


def test_motions_about_one_axis_are_refused() -> None:
    scene, positions, _ = wrist(1)
    around = np.repeat(positions[:1], 12, axis=0)
    around[:, 0] += np.linspace(-0.4, 0.4, 12)  # the pan joint alone
    with pytest.raises(ConfigError, match="only about one axis"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", sightings_at(scene, around), scene.lens)


def test_parallel_joints_are_one_axis() -> None:
    scene, positions, _ = wrist(1)
    nodding = np.repeat(positions[:1], 12, axis=0)
    nodding[:, 1:4] += np.random.default_rng(0).uniform(-0.25, 0.25, (12, 3))  # lift, elbow and wrist flex
    seen = [s for s in sightings_at(scene, nodding) if len(s.corners) >= 6]
    with pytest.raises(ConfigError, match="only about one axis"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", seen, scene.lens)


def test_an_arm_that_hardly_turned_is_refused() -> None:
    scene, positions, _ = wrist(1)
    still = positions[:1] + np.random.default_rng(0).uniform(-0.02, 0.02, (12, 6))
    with pytest.raises(ConfigError, match="turn by . degrees only"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", sightings_at(scene, still), scene.lens)


def test_a_camera_and_a_board_on_one_link_are_refused() -> None:
    scene, _, seen = wrist(1)
    with pytest.raises(ConfigError, match="turn by 0 degrees only"):
        calibrate_mounting(scene.robot, "wrist_camera", "gripper_tip", seen, scene.lens)


@pytest.mark.parametrize(("shrunk", "said"), [(0.95, "0.9"), (1.06, "1.0")])
def test_a_board_of_another_size_than_said_is_noticed(shrunk: float, said: str) -> None:
    scene, _, seen = wrist(2)
    believed = [replace(s, corners=replace(s.corners, points=s.corners.points / shrunk)) for s in seen]
    with pytest.raises(ConfigError, match=rf"the board is {said}\d+ .* times as large.*Measure the print"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", believed, scene.lens)


def test_a_board_that_was_moved_half_way_is_refused() -> None:
    scene, positions, seen = wrist(2)
    moved = replace(scene, X_MB=transform(np.array([0.06, 0.0, 0.0]), rpy_matrix(0, 0, 0.5)) @ scene.X_MB)
    later = sightings_at(moved, positions[COUNT // 2 :])
    mixed = [s for s in [*seen[: COUNT // 2], *later] if len(s.corners) >= 6]
    with pytest.raises(ConfigError, match=r"(moved between them|do not agree|usable sighting)"):
        calibrate_wrist_camera(scene.robot, "wrist_camera", mixed, scene.lens)


def test_a_rotation_vector_and_its_rotation_are_inverse() -> None:
    rng = np.random.default_rng(0)
    for size in (0.0, 1e-9, 1e-3, 1.0, 3.0, np.pi):
        w = rng.normal(size=3)
        R = rotation(w / np.linalg.norm(w) * size)
        np.testing.assert_allclose(rotation(rotation_vector(R)), R, atol=1e-7)
