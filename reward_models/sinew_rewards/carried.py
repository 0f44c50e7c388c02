"""Whether what is to be moved is on its way: held by the gripper, or pushed along."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation

from sinew_rewards.goal import point_of, target_point, visible


class Custody:
    """Follows one affordance's object from the moment on that the affordance arrived.

    An object that the arm hides is where it was last seen, and what was held then still is: a hand that
    closes on something else far from there does not make it so.
    """

    def __init__(self, robot: Robot, closed_below: float, within: float, pushed: float) -> None:
        self._robot, self._closed_below = robot, closed_below
        self._within, self._pushed = within, pushed  # m
        self._start: FloatArray | None = None  # (3,) where the object was
        self.held = False
        self.under_way = False  # pushed nearer to the target than it was

    def begin(self, affordance: Affordance, known: Mapping[str, Keypoint]) -> None:
        """Begin with an object that is neither held nor pushed."""
        start = point_of(affordance.moves, known)
        self._start = None if start is None else start.copy()
        self.held = self.under_way = False

    def update(
        self,
        affordance: Affordance,
        observation: Observation,
        tip: FloatArray,
        known: Mapping[str, Keypoint],
    ) -> None:
        """Take an observation; `known` is everything seen so far, at its last place."""
        self.held = self._holds(affordance, observation, tip, known)
        self.under_way = self._is_under_way(affordance, known)

    def _holds(
        self,
        affordance: Affordance,
        observation: Observation,
        tip: FloatArray,
        known: Mapping[str, Keypoint],
    ) -> bool:
        if self._robot.aperture(observation.joints.position) >= self._closed_below:
            return False
        last = point_of(affordance.moves, known)
        if last is None or self._within <= 0:
            return True
        near = float(np.linalg.norm(last - tip)) <= self._within
        return near or (self.held and affordance.moves not in visible(observation.keypoints))

    def _is_under_way(self, affordance: Affordance, known: Mapping[str, Keypoint]) -> bool:
        now, target = point_of(affordance.moves, known), target_point(affordance, known)
        if self._start is None or now is None or target is None:
            return False
        before, after = (float(np.linalg.norm((p - target)[:2])) for p in (self._start, now))
        return before - after >= self._pushed
