"""Links are found in the picture where a pinhole camera shows them."""

import numpy as np
from sinew_core.cameras import CameraConfig
from sinew_core.sight import link_pixels, visible_motion

TURN = np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.0])  # of the base


def camera(hardware, **changes):
    config = {
        "width": 640,
        "height": 480,
        "fovy": 45.0,
        "position": (0.2, 0.0, 1.0),
        "look_at": (0.2, 0.0, 0.0),
    }
    return CameraConfig(**{**config, "up": (1.0, 0.0, 0.0), **changes}).model("top", hardware.robot.base_link)


def test_a_link_below_the_camera_lies_in_the_middle(hardware):
    robot = hardware.robot
    x, y, _ = robot.chain.point(robot.tip_link, robot.home)
    above = camera(hardware, position=(x, y, 1.0), look_at=(x, y, 0.0))
    pixel = link_pixels(robot, above, robot.home)[robot.chain.links.index(robot.tip_link)]
    np.testing.assert_allclose(pixel, (above.cx, above.cy), atol=1e-6)


def test_a_turn_of_the_base_is_seen_from_above_and_not_from_where_nothing_is(hardware):
    home = hardware.robot.home
    assert visible_motion(hardware.robot, camera(hardware), home, home + TURN) > 5
    away = camera(hardware, position=(3.0, 0.0, 1.0), look_at=(3.0, 0.0, 0.0))
    assert visible_motion(hardware.robot, away, home, home + TURN) == 0
    behind = camera(hardware, look_at=(0.2, 0.0, 2.0))
    assert visible_motion(hardware.robot, behind, home, home + TURN) == 0


def test_an_arm_at_rest_moves_by_nothing(hardware):
    home = hardware.robot.home
    assert visible_motion(hardware.robot, camera(hardware), home, home) == 0
