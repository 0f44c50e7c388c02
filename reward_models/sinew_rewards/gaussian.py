"""Gaussian point and coverage reward on keypoints: the gripper at the object, then the object at its target.

After GUI-G2 (arXiv 2507.15846), in three dimensions: regions are the keypoints' places and extents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation, RewardEstimate, Task

from sinew_rewards.carried import Custody
from sinew_rewards.forms import combine
from sinew_rewards.gaussian_boxes import Region, rewards, upright_region
from sinew_rewards.goal import LastSeen, point_of, tip_position
from sinew_rewards.success import JudgedBy, SuccessSource


@dataclass(frozen=True, slots=True)
class Config(JudgedBy):
    """How wide the regions are, and what counts."""

    alpha: float = 0.5  # standard deviation over extent
    widening: float = 4.0  # of the extents, so that the reward reaches across a table
    size: float = 0.03  # m, of what has no extent: the gripper's grip, a bare point
    weight: float = 0.5  # of the whole dense reward; below 1, so that success is worth more
    point: float = 1.0  # share of the point reward
    coverage: float = 1.0  # share of the coverage reward
    closed_below: float = 0.62  # aperture under which the gripper counts as closed on something
    carried_within: float = 0.04  # m, tip to object, for the object to be with the gripper

    def __post_init__(self) -> None:
        """Check the signs."""
        if not 0 < self.weight < 1:
            raise ValueError(f"weight: expected 0 < weight < 1, got {self.weight}.")
        if min(self.alpha, self.widening, self.size) <= 0:
            raise ValueError("alpha, widening and size must be positive.")
        if min(self.point, self.coverage) < 0 or self.point + self.coverage <= 0:
            raise ValueError("point and coverage: expected shares of at least 0, not both 0.")


class Gaussian:
    """Values in [-1, 0]: 0 on success, else dense - 1.

    Half of the dense reward is for the gripper's place at the object, all of that once the object is held
    or has come nearer to its target; the other half for the object's place at the target. Where the tip
    itself is to go there is that one half only, and it counts twice. Things hidden now count where they
    were last seen; without the success model's word, `uncertainty` = weight.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._judge = SuccessSource(config, hardware, "gaussian")
        self.needs_frames = self._judge.needs_frames
        self._seen = LastSeen()
        self._custody = Custody(hardware.robot, config.closed_below, config.carried_within, pushed=0.01)
        self._graded: tuple[int, str] | None = None

    def reset(self, task: Task) -> None:
        """Forget what was seen."""
        self._seen.reset()
        self._judge.reset(task)
        self._graded = None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward with the terms it is made of."""
        c, affordance = self._config, observation.affordance
        known = self._seen.update(observation.keypoints)
        tip = tip_position(self._robot, observation)
        success = self._judge.judge(observation)
        terms = {"dense": 0.0, "success": float(success is True), "judged": float(success is not None)}
        if affordance is not None:
            if (affordance.stamp, affordance.instruction) != self._graded:
                self._custody.begin(affordance, known)
                self._graded = (affordance.stamp, affordance.instruction)
            self._custody.update(affordance, observation, tip, known)
            terms |= self._dense(affordance, tip, known)
        progress = terms["dense"] / c.weight
        return RewardEstimate(
            stamp=observation.stamp,
            value=combine(terms["dense"], success is True, "shifted"),
            success=None if success is None else float(success),
            progress=1.0 if success else min(progress, 1.0),
            uncertainty=None if success is not None else c.weight,
            terms=terms,
        )

    def _dense(
        self, affordance: Affordance, tip: FloatArray, known: Mapping[str, Keypoint]
    ) -> dict[str, float]:
        item = tip if affordance.moves is None else point_of(affordance.moves, known)
        goal = self._goal(affordance, item, known)
        if item is None or goal is None:
            return {}
        moved = None if affordance.moves is None else known[affordance.moves]
        there = rewards(self._region(item, moved), goal)
        terms = {"target_point": there[0], "target_coverage": there[1]}
        placing = self._mixed(there)
        if moved is None:
            return {**terms, "dense": self._config.weight * placing}
        at_object = rewards(self._region(tip, None), self._region(item, moved))
        taken = self._custody.held or self._custody.under_way
        approaching = 1.0 if taken else self._mixed(at_object)
        terms |= {"grasp_point": at_object[0], "grasp_coverage": at_object[1]}
        return {**terms, "dense": self._config.weight * (approaching + placing) / 2}

    def _mixed(self, pair: tuple[float, float]) -> float:
        c = self._config
        return (c.point * pair[0] + c.coverage * pair[1]) / (c.point + c.coverage)

    def _region(self, centre: FloatArray, thing: Keypoint | None) -> Region:
        """Return the region of a thing, or of a grip's size, at a centre (3,)."""
        c = self._config
        bare = np.full(3, c.size)
        extent = bare if thing is None or thing.extent is None else np.maximum(thing.extent, c.size)
        yaw = 0.0 if thing is None or thing.yaw is None else thing.yaw
        return upright_region(centre, c.widening * extent, yaw, c.alpha)

    def _goal(
        self, affordance: Affordance, item: FloatArray | None, known: Mapping[str, Keypoint]
    ) -> Region | None:
        """Return where things are to end.

        What is carried settles somewhere between the target's middle and where it is let go, what is pushed
        keeps its height: in that range, height is no error.
        """
        last = affordance.waypoints[-1] if len(affordance.waypoints) else None
        if affordance.moves is None:
            return None if last is None else self._region(last, None)
        centre = point_of(affordance.target, known)
        centre = last if centre is None else centre
        if centre is None or item is None:
            return None
        height = item[2]
        if affordance.grasp is not None and last is not None:
            height = np.clip(item[2], min(centre[2], last[2]), max(centre[2], last[2]))
        thing = known.get(affordance.target) if isinstance(affordance.target, str) else None
        return self._region(np.array([centre[0], centre[1], height]), thing)
