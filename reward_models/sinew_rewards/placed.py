"""Success as geometry sees it: what was to move lies where it should, and the gripper has let go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.goal import (
    LastSeen,
    horizontal_and_vertical,
    point_of,
    target_point,
    tip_position,
    visible,
)


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as there, and as let go."""

    horizontal: float = 0.03  # m
    vertical: float = 0.06  # m
    closed_below: float = 0.62  # aperture under which the gripper counts as closed on something
    away: float = 0.06  # m from the tip, beyond which no gripper holds the object

    def __post_init__(self) -> None:
        """Check that lengths are positive."""
        if min(self.horizontal, self.vertical, self.away) <= 0:
            raise ValueError("horizontal, vertical and away must be positive.")


class Placed:
    """0 on success and -1 otherwise; `success` is None while what matters is not seen.

    Of something to be moved, its keypoint has to be at the target. Where the tip itself is to go, it has
    to be at the last waypoint: the target is then what the way leads to, not where it ends.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._known = LastSeen()

    def reset(self, task: Task) -> None:
        """Forget what was seen."""
        self._known.reset()

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward; terms: success, seen, and the distances (m) where they are known."""
        known, affordance = self._known.update(observation.keypoints), observation.affordance
        tip = tip_position(self._robot, observation)
        item = goal = None
        if affordance is not None:
            item = (
                tip
                if affordance.moves is None
                else point_of(affordance.moves, visible(observation.keypoints))
            )
            goal = _tip_goal(affordance) if affordance.moves is None else target_point(affordance, known)
        if affordance is None or item is None or goal is None:
            terms = {"success": 0.0, "seen": 0.0}
            return RewardEstimate(observation.stamp, -1.0, uncertainty=0.5, terms=terms)
        horizontal, vertical = horizontal_and_vertical(item, goal)
        there = horizontal <= self._config.horizontal and vertical <= self._config.vertical
        success = there and (affordance.grasp is None or self._let_go(observation, item, tip))
        return RewardEstimate(
            stamp=observation.stamp,
            value=0.0 if success else -1.0,
            success=float(success),
            terms={"success": float(success), "seen": 1.0, "horizontal": horizontal, "vertical": vertical},
        )

    def _let_go(self, observation: Observation, item: FloatArray, tip: FloatArray) -> bool:
        opened = self._robot.aperture(observation.joints.position) >= self._config.closed_below
        return opened or float(np.linalg.norm(item - tip)) > self._config.away


def _tip_goal(affordance: Affordance) -> FloatArray | None:
    """Return where the tip is to end (3,)."""
    if len(affordance.waypoints):
        last: FloatArray = affordance.waypoints[-1]
        return last
    return None if isinstance(affordance.target, str) else affordance.target
