"""Reward along the path of an affordance: progress, falling off, and a seen success that always wins.

After KAGI (arXiv 2407.10341), which combines a sparse and a dense reward as "sparse where it is not zero,
else dense". The dense formula, the window on the block index and the gripper gate are Sinew's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

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
from sinew_rewards.paths import BlockPath

Form = Literal["shifted", "plain"]


@dataclass(frozen=True, slots=True)
class Config:
    """Weights and tolerances of the affordance path."""

    form: Form = "shifted"
    weight: float = 0.5  # of the dense reward at the path's end; below 1, so that success is worth more
    block: float = 0.06  # m, the width in which distance from the path is counted
    from_start: bool = True  # the path begins where the tip is when the affordance arrives
    closed_below: float = 0.62  # aperture under which the gripper counts as closed on something
    carried_within: float = 0.04  # m, tip to object, for the object to be with the gripper; 0: not asked
    success_horizontal: float = 0.03  # m
    success_vertical: float = 0.06  # m

    def __post_init__(self) -> None:
        """Check that success outweighs the path and that lengths are positive."""
        if not 0 < self.weight < 1:
            raise ValueError(f"weight: expected 0 < weight < 1, got {self.weight}.")
        if min(self.block, self.success_horizontal, self.success_vertical) <= 0:
            raise ValueError("block, success_horizontal and success_vertical must be positive.")


def dense_reward(along: float, blocks_beside: float, weight: float) -> float:
    """Return weight * u * exp(-e^2 / 2) for a share u of the path and a distance e in block widths."""
    return weight * along * math.exp(-0.5 * blocks_beside**2)


def combine(dense: float, success: bool, form: Form) -> float:
    """Return the reward that is handed out.

    `plain`: 1 on success, else the dense reward. Where success ends the episode this pays an agent for
    loitering before the end, up to weight / (1 - discount). `shifted`: 0 on success, else dense - 1:
    every step costs something, so that finishing is worth more than any wait.
    """
    if form == "plain":
        return 1.0 if success else dense
    return 0.0 if success else dense - 1.0


class AffordancePath:
    """Values lie in [-1, 0] (`shifted`) or [0, 1] (`plain`).

    Success is what the model can see: the object that is to move lies at the target, and the gripper has
    let go of it. Without an affordance the value is that of no progress, with `uncertainty` = weight.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._seen = LastSeen()
        self._graded: tuple[int, str] | None = None  # stamp and instruction of the path's affordance
        self._path: BlockPath | None = None
        self._first = 0  # index of the first waypoint's block; the gripper closes at the one before
        self._block = 0  # nearest block of the last estimate

    def reset(self, task: Task) -> None:
        """Forget the path."""
        self._seen.reset()
        self._graded = self._path = None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward with the terms it is made of."""
        c = self._config
        tip = tip_position(self._robot, observation)
        known = self._seen.update(observation.keypoints)
        affordance = observation.affordance
        if affordance is not None and (affordance.stamp, affordance.instruction) != self._graded:
            self._begin(affordance, tip, point_of(affordance.grasp, known))
        if affordance is None or self._path is None:
            value = combine(0.0, False, c.form)
            terms = {"progress": 0.0, "dense": 0.0, "affordance": 0.0}
            return RewardEstimate(observation.stamp, value, None, None, c.weight, terms)
        along, beside = self._project(self._path, affordance, observation, tip)
        blocks = beside / c.block
        dense = dense_reward(along, blocks, c.weight)
        success = self._success(affordance, observation, tip)
        terms = {
            "progress": along,
            "off_path": math.exp(-0.5 * blocks**2),
            "dense": dense,
            "block": float(self._block),
            "success": float(success is True),
            "object_seen": float(success is not None),
        }
        return RewardEstimate(
            stamp=observation.stamp,
            value=combine(dense, success is True, c.form),
            success=None if success is None else float(success),
            progress=1.0 if success else along,
            uncertainty=None if success is not None else c.weight,
            terms=terms,
        )

    def _begin(self, affordance: Affordance, tip: FloatArray, grasp: FloatArray | None) -> None:
        """Lay the path: the tip's start, the grasp, the waypoints."""
        start = [tip] if self._config.from_start else []
        middle = [grasp] if grasp is not None else []
        blocks = [*start, *middle, *affordance.waypoints]
        self._graded = (affordance.stamp, affordance.instruction)
        self._path = BlockPath.through(np.array(blocks)) if blocks else None
        self._first = len(start) + len(middle)
        self._block = 0

    def _project(
        self, path: BlockPath, affordance: Affordance, observation: Observation, tip: FloatArray
    ) -> tuple[float, float]:
        """Move the block index inside its window and its gate; return arc share and distance in m.

        The window, one block back and two ahead, keeps a path that crosses itself from being cut short.
        """
        gate = self._gate(path, affordance, observation, tip)
        first = min(self._block - 1, gate)
        self._block = path.nearest(tip, first, min(self._block + 2, gate))
        return path.project(tip, self._block, gate)

    def _gate(
        self, path: BlockPath, affordance: Affordance, observation: Observation, tip: FloatArray
    ) -> int:
        """Return the last block that counts: the grasp, until the gripper has closed on the object."""
        if affordance.grasp is None or self._holds(affordance, observation, tip):
            return path.last
        carried = np.flatnonzero(affordance.closed)
        grasp = max(self._first - 1, 0)
        release = self._first + int(carried[-1]) if len(carried) else grasp
        return path.last if self._block >= release else grasp

    def _holds(self, affordance: Affordance, observation: Observation, tip: FloatArray) -> bool:
        c = self._config
        if self._robot.aperture(observation.joints.position) >= c.closed_below:
            return False
        carried = point_of(affordance.moves, observation.keypoints)
        if carried is None or c.carried_within <= 0:
            return True
        return float(np.linalg.norm(carried - tip)) <= c.carried_within

    def _success(self, affordance: Affordance, observation: Observation, tip: FloatArray) -> bool | None:
        """Tell whether the goal is seen to be reached; None where what matters is not seen."""
        c = self._config
        target = target_point(affordance, self._seen.update({}))
        placed = (
            tip if affordance.moves is None else point_of(affordance.moves, visible(observation.keypoints))
        )
        if target is None or placed is None:
            return None
        horizontal, vertical = horizontal_and_vertical(placed, target)
        there = horizontal <= c.success_horizontal and vertical <= c.success_vertical
        return there and (affordance.grasp is None or self._let_go(observation, placed, tip))

    def _let_go(self, observation: Observation, placed: FloatArray, tip: FloatArray) -> bool:
        c = self._config
        opened = self._robot.aperture(observation.joints.position) >= c.closed_below
        return opened or float(np.linalg.norm(placed - tip)) > max(c.carried_within, c.block)
