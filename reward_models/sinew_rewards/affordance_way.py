"""How little of an affordance's way is left, from where things are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation, RewardEstimate, Task

from sinew_rewards.carried import Custody
from sinew_rewards.goal import LastSeen, point_of, target_point, tip_position
from sinew_rewards.success import JudgedBy, SuccessSource

UNKNOWN_HALF = 0.015  # m, half the width of an object whose extent is not known


@dataclass(frozen=True, slots=True)
class Config(JudgedBy):
    """Tolerances of the way, and who judges success."""

    behind: float = 0.03  # m behind an object's far side, where a push begins
    reached: float = 0.025  # m from there, within which the tip is there
    scale: float = 0.5  # m of way that is left where there is no progress yet; of all ways, long or short
    closed_below: float = 0.62  # aperture under which the gripper counts as closed on something
    carried_within: float = 0.04  # m, tip to object, for the object to be with the gripper
    brought: float = 0.03  # m across to the target, within which what is let go has been brought there
    away: float = 0.06  # m, tip to object, from which on the gripper has left it

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.behind, self.reached, self.brought, self.away) < 0:
            raise ValueError("behind, reached, brought and away: expected at least 0.")
        if min(self.scale, self.carried_within) <= 0:
            raise ValueError("scale and carried_within: expected above 0.")


class AffordanceWay:
    """Values [-1, 0]: minus the way that is left, in units of `scale`; 0 where the task is done.

    The way is that of the tip to the object, unless it is held, or to where a push of it begins, that of the
    object to its target, and that of the tip away from what was grasped, once it has been let go there; all
    of it for the tip alone where nothing is to be moved. It is laid anew from every observation, so that
    what is knocked aside is followed, and depends on nothing that came before but on what was hidden since:
    a potential for shaping (Ng et al. 1999). A share of the way at an episode's beginning would not be one:
    critics do not see where an episode began. `affordance_path` pays for following the first plan instead.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._judge = SuccessSource(config, hardware, "affordance_way")
        self.needs_frames = self._judge.needs_frames
        self._seen = LastSeen()
        self._custody = Custody(hardware.robot, config.closed_below, config.carried_within, 0.0)
        self._begun: tuple[int, str] | None = None  # stamp and instruction of the affordance

    def reset(self, task: Task) -> None:
        """Forget what was seen."""
        self._seen.reset()
        self._judge.reset(task)
        self._begun = None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward; terms: reach, carry and leave (m), what is left of the way, and success."""
        affordance, known = observation.affordance, self._seen.update(observation.keypoints)
        success = self._judge.judge(observation)
        uncertainty = None if success is not None else 1.0
        if affordance is None:
            return RewardEstimate(observation.stamp, -1.0, uncertainty=1.0, terms={"success": 0.0})
        tip = tip_position(self._robot, observation)
        if (affordance.stamp, affordance.instruction) != self._begun:
            self._begun = affordance.stamp, affordance.instruction
            self._custody.begin(affordance, known)
        self._custody.update(affordance, observation, tip, known)
        parts = self._left(affordance, tip, known)
        if parts is None:
            return RewardEstimate(observation.stamp, -1.0, uncertainty=1.0, terms={"success": 0.0})
        if success:
            parts = 0.0, 0.0, parts[2]
        progress = float(np.clip(1.0 - sum(parts) / self._config.scale, 0.0, 1.0))
        return RewardEstimate(
            observation.stamp,
            0.0 if success else progress - 1.0,
            success=None if success is None else float(success),
            progress=progress,
            uncertainty=uncertainty,
            terms={
                **dict(zip(("reach", "carry", "leave"), parts, strict=True)),
                "success": float(success is True),
            },
        )

    def _left(
        self, affordance: Affordance, tip: FloatArray, known: Mapping[str, Keypoint]
    ) -> tuple[float, float, float] | None:
        """Return how far the tip has to go, the object, and the tip again, m; None where one is not known."""
        target = target_point(affordance, known)
        if target is None:
            return None
        if affordance.moves is None:
            return float(np.linalg.norm(tip - target)), 0.0, 0.0
        item = point_of(affordance.moves, known)
        if item is None:
            return None
        carry = float(np.linalg.norm((target - item)[:2]))
        if affordance.grasp is not None:
            return self._of_grasp(float(np.linalg.norm(tip - item)), carry)
        begin = self._push_from(item, target, _half_width(affordance.moves, known))
        return max(0.0, float(np.linalg.norm(tip - begin)) - self._config.reached), carry, 0.0

    def _of_grasp(self, apart: float, carry: float) -> tuple[float, float, float]:
        """Return what is left where the tip is so far `apart` (m) from an object that is to be grasped."""
        held, away = self._custody.held, self._config.away
        if carry <= self._config.brought and not held:
            return 0.0, 0.0, max(0.0, away - apart)
        return 0.0 if held else apart, carry, away

    def _push_from(self, item: FloatArray, target: FloatArray, half: float) -> FloatArray:
        """Return where a push begins (3,): behind the object, seen from the target."""
        way = (target - item)[:2]
        length = float(np.linalg.norm(way))
        begin = item.copy()
        if length > 0:
            begin[:2] -= way / length * (half + self._config.behind)
        return begin


def _half_width(moves: str | FloatArray, known: Mapping[str, Keypoint]) -> float:
    extent = known[moves].extent if isinstance(moves, str) and moves in known else None
    return UNKNOWN_HALF if extent is None else float(max(extent[:2])) / 2
