"""What an affordance asks for, read off an observation: where the goal is and what should be there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation


def tip_position(robot: Robot, observation: Observation) -> FloatArray:
    """Return the gripper's tip (3,) m, base frame, by forward kinematics of the measured joints."""
    return robot.chain.pose(robot.tip_link, observation.joints.position)[:3, 3]


def point_of(where: str | FloatArray | None, keypoints: Mapping[str, Keypoint]) -> FloatArray | None:
    """Return the point (3,) that a keypoint name or a point means; None for a keypoint not seen."""
    if isinstance(where, str):
        return keypoints[where].position if where in keypoints else None
    return where


def target_point(affordance: Affordance, keypoints: Mapping[str, Keypoint]) -> FloatArray | None:
    """Return where things are to end (3,); the last waypoint where no target is named."""
    if affordance.target is None:
        return affordance.waypoints[-1] if len(affordance.waypoints) else None
    return point_of(affordance.target, keypoints)


def visible(keypoints: Mapping[str, Keypoint]) -> dict[str, Keypoint]:
    """Return the keypoints that are seen now, not merely believed to be somewhere."""
    return {name: keypoint for name, keypoint in keypoints.items() if keypoint.visible}


class LastSeen:
    """The keypoints with the ones that are hidden now filled in from when they were last seen.

    Only for things that stay where they are, such as a target under the arm.
    """

    def __init__(self) -> None:
        self._keypoints: dict[str, Keypoint] = {}

    def reset(self) -> None:
        """Forget everything."""
        self._keypoints.clear()

    def update(self, keypoints: Mapping[str, Keypoint]) -> Mapping[str, Keypoint]:
        """Take what is seen now and return everything ever seen, at its last place."""
        self._keypoints.update(keypoints)
        return self._keypoints


def horizontal_and_vertical(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Return the horizontal and the vertical distance between two points (3,), in m."""
    return float(np.linalg.norm(a[:2] - b[:2])), float(abs(a[2] - b[2]))
