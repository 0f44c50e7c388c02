"""Minus the distance from what is to move to where it is to end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.goal import LastSeen, point_of, target_point, tip_position, visible


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as far, and as there."""

    scale: float = 0.5  # m, the distance at which the value reaches -1
    success: float = 0.03  # m, horizontally

    def __post_init__(self) -> None:
        """Check that lengths are positive."""
        if min(self.scale, self.success) <= 0:
            raise ValueError("scale and success must be positive.")


class GoalDistance:
    """Values lie in [-1, 0]: minus the horizontal distance to the target, over `scale`, cut off at 1.

    Horizontal, because what is put into or onto something ends above that thing's centre; for the tip
    itself the distance is the whole one. An object that is hidden counts where it was last seen, with
    `uncertainty` 0.5 and the term `seen` 0; one never seen, or no affordance, gives -1.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._known = LastSeen()

    def reset(self, task: Task) -> None:
        """Forget what was seen."""
        self._known.reset()

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward; terms: distance (m) where it is known, seen."""
        known, affordance = self._known.update(observation.keypoints), observation.affordance
        if affordance is None:
            return RewardEstimate(observation.stamp, -1.0, uncertainty=0.5, terms={"seen": 0.0})
        target = target_point(affordance, known)
        tip = tip_position(self._robot, observation)
        moving = tip if affordance.moves is None else point_of(affordance.moves, known)
        if moving is None or target is None:
            return RewardEstimate(observation.stamp, -1.0, uncertainty=0.5, terms={"seen": 0.0})
        seen = affordance.moves is None or affordance.moves in visible(observation.keypoints)
        return self._grade(observation.stamp, moving, target, 3 if affordance.moves is None else 2, seen)

    def _grade(
        self, stamp: int, moving: FloatArray, target: FloatArray, axes: int, seen: bool
    ) -> RewardEstimate:
        distance = float(np.linalg.norm(moving[:axes] - target[:axes]))
        share = min(distance / self._config.scale, 1.0)
        return RewardEstimate(
            stamp=stamp,
            value=-share,
            success=float(distance <= self._config.success) if seen else None,
            progress=1.0 - share,
            uncertainty=None if seen else 0.5,
            terms={"distance": distance, "seen": float(seen)},
        )
