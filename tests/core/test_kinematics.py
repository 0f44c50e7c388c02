"""The fast ways through the kinematics say the same as the plain one."""

import numpy as np
import pytest
from sinew_core.robot import load_robot

from tests.core.conftest import ROBOTS


@pytest.mark.parametrize("name", ["so101", "fr3"])
def test_points_and_many_poses_agree_with_single_poses(name: str) -> None:
    robot = load_robot(ROBOTS / name)
    positions = np.random.default_rng(0).uniform(robot.lower, robot.upper, (20, len(robot.home)))
    for link in (robot.tip_link, "wrist_camera", robot.base_link, "fr3_rightfinger"):
        if link == "fr3_rightfinger" and name != "fr3":
            continue
        poses = robot.chain.poses(link, positions)
        for position, pose in zip(positions, poses, strict=True):
            np.testing.assert_allclose(robot.chain.pose(link, position), pose, atol=1e-12)
            np.testing.assert_allclose(robot.chain.point(link, position), pose[:3, 3], atol=1e-12)
