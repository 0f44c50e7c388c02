from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from calibration_truth import corners_at
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import ConfigError
from sinew_core.kinematics import rpy_matrix, transform
from sinew_hardware.calibration.hand_eye_start import check_motions
from sinew_hardware.calibration.pose_to_config import with_lens, with_pose
from sinew_hardware.calibration.poses import PoseRules, hand_eye_poses
from sinew_hardware.calibration.rotations import inverse
from sinew_hardware.emulators.calibration_scene import Scene, fixed_scene, wrist_scene


@pytest.fixture(scope="module", params=[wrist_scene, fixed_scene])
def scene(request: pytest.FixtureRequest) -> Scene:
    found: Scene = request.param(0)
    return found


@pytest.fixture(scope="module")
def poses(scene: Scene) -> np.ndarray:
    return scene.poses(15)


def test_poses_keep_the_joints_limits(scene: Scene, poses: np.ndarray) -> None:
    assert poses.shape == (15, 6)
    assert np.all((poses >= scene.robot.lower) & (poses <= scene.robot.upper))


def test_poses_keep_links_above_the_table(scene: Scene, poses: np.ndarray) -> None:
    for link in scene.robot.chain.links:
        assert scene.robot.chain.poses(link, poses)[:, 2, 3].min() > PoseRules().clearance


def test_the_camera_really_sees_the_board_from_all_of_them(scene: Scene, poses: np.ndarray) -> None:
    for q in poses:
        seen = corners_at(scene.board_in_camera(q), scene.rng, scene.lens, scene.board)
        assert len(seen) >= 6


def test_poses_turn_about_more_than_one_axis(scene: Scene, poses: np.ndarray) -> None:
    chain = scene.robot.chain
    check_motions(inverse(chain.poses(scene.camera.link, poses)) @ chain.poses(scene.board_link, poses))


def test_a_joint_that_moves_neither_camera_nor_board_stays(scene: Scene, poses: np.ndarray) -> None:
    assert np.ptp(poses[:, scene.robot.gripper_index]) == 0


def test_a_held_board_stays_above_the_table() -> None:
    scene = fixed_scene(1)
    for q in scene.poses(10):
        corners = scene.board.outline() @ scene.board_guess[:3, :3].T + scene.board_guess[:3, 3]
        X = scene.robot.chain.pose(scene.board_link, q)
        assert (corners @ X[:3, :3].T + X[:3, 3])[:, 2].min() > PoseRules().clearance


def test_the_same_seed_gives_the_same_poses() -> None:
    np.testing.assert_array_equal(wrist_scene(3).poses(8), wrist_scene(3).poses(8))


def test_the_next_pose_is_the_nearest_one() -> None:
    scene = wrist_scene(4)
    q = scene.poses(10)
    way = np.abs(np.diff(np.vstack([scene.robot.home, q]), axis=0) / scene.robot.velocity).max(axis=1)
    for i in range(len(q) - 1):
        at = scene.robot.home if i == 0 else q[i - 1]
        assert way[i] <= (np.abs(q[i:] - at) / scene.robot.velocity).max(axis=1).min() + 1e-12


def test_a_board_out_of_reach_is_refused() -> None:
    scene = wrist_scene(0)
    far = transform(np.array([3.0, 0, 0]), np.eye(3)) @ scene.board_guess
    believed = (scene.robot, scene.camera, scene.board, far)
    with pytest.raises(ConfigError, match="Only 0 of .* random poses show the board"):
        hand_eye_poses(*believed, 10, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_a_pose_comes_back_from_its_configuration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X_LC = transform(rng.uniform(-1, 1, 3), rpy_matrix(*rng.uniform(-3, 3, 3)))
    config = CameraConfig(640, 480, 40.0, (0, 0, 0), (1, 0, 0))
    again = with_pose(config, X_LC, "wrist").model("wrist", "base_link")
    np.testing.assert_allclose(again.X_LC, X_LC, atol=1e-9)
    assert again.link == "wrist"


def test_looking_straight_down_comes_back_too() -> None:
    X_LC = transform(np.array([0.2, 0.0, 0.5]), np.diag([1.0, -1.0, -1.0]))
    config = with_pose(CameraConfig(640, 480, 40.0, (0, 0, 0), (1, 0, 0)), X_LC, "")
    np.testing.assert_allclose(config.model("top", "base_link").X_LC, X_LC, atol=1e-9)


def test_a_matrix_that_is_no_pose_is_refused() -> None:
    config = CameraConfig(640, 480, 40.0, (0, 0, 0), (1, 0, 0))
    with pytest.raises(ValueError, match="right-handed"):
        with_pose(config, np.diag([1.0, 1.0, -1.0, 1.0]), "")


def test_a_lens_gives_its_field_of_view() -> None:
    config = CameraConfig(640, 480, 40.0, (0, 0, 0), (1, 0, 0))
    lens = IntrinsicsConfig(442.0, 440.0, 325.0, 236.0)
    found = with_lens(config, lens)
    assert found.intrinsics == lens
    assert replace(found, intrinsics=None).model("", "").fy == pytest.approx(lens.fy)
