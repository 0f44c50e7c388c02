"""Reward along the path of an affordance: progress, falling off, and a seen success that always wins.

After KAGI (arXiv 2407.10341), which combines a sparse and a dense reward as "sparse where it is not zero,
else dense". The dense formula, the window on the block index, the gates and what is taken back for
loitering are Sinew's own; the form `distance` is nearer to the paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation, RewardEstimate, Task

from sinew_rewards.carried import Custody
from sinew_rewards.dwell import Loitering
from sinew_rewards.forms import Form, combine, dense_reward, distance_reward
from sinew_rewards.goal import LastSeen, point_of, tip_position
from sinew_rewards.paths import BlockPath
from sinew_rewards.success import JudgedBy, SuccessSource


@dataclass(frozen=True, slots=True)
class Config(JudgedBy):
    """Weights and tolerances of the affordance path."""

    form: Form = "shifted"
    weight: float = 0.5  # of the dense reward at the path's end; below 1, so that success is worth more
    block: float = 0.06  # m, the width in which distance from the path is counted
    from_start: bool = True  # the path begins where the tip is when the affordance arrives
    closed_below: float = 0.62  # aperture under which the gripper counts as closed on something
    carried_within: float = 0.04  # m, tip to object, for the object to be with the gripper; 0: not asked
    pushed: float = 0.01  # m nearer to the target than it was, for an object to count as pushed along
    patience: float = 1.5  # s on one block, after which resting there counts as loitering
    interest: float = 2.0  # `shifted`: what loitering takes back, as a multiple of what it pays
    idling: float = 0.02  # `shifted`: what resting costs where it pays nothing

    def __post_init__(self) -> None:
        """Check that success outweighs the path and that lengths and times are positive."""
        if not 0 < self.weight < 1:
            raise ValueError(f"weight: expected 0 < weight < 1, got {self.weight}.")
        if min(self.block, self.patience) <= 0:
            raise ValueError("block and patience must be positive.")
        if min(self.interest, self.idling) < 0:
            raise ValueError("interest and idling: expected at least 0.")


class AffordancePath:
    """Values: `shifted` [-1 - interest * weight - idling, 0], `plain` [0, 1], `distance` [-1, 1].

    Success is what the configured model says, whatever the dense term is. Without an affordance the value
    is that of no progress. Where success is not known, `uncertainty` = weight.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._robot = config, hardware.robot
        self._judge = SuccessSource(config, hardware, "affordance_path")
        self.needs_frames = self._judge.needs_frames
        safety = hardware.config.safety
        self._diagonal = math.dist(safety.workspace_lower, safety.workspace_upper)  # m
        self._seen = LastSeen()
        self._custody = Custody(hardware.robot, config.closed_below, config.carried_within, config.pushed)
        self._loitering = Loitering(config.patience)
        self._graded: tuple[int, str] | None = None  # stamp and instruction of the path's affordance
        self._path: BlockPath | None = None
        self._first = 0  # index of the first waypoint's block; the gripper closes at the one before
        self._touching = 0  # index of the last block before a push meets its object
        self._block = 0  # nearest block of the last estimate
        self._delivered = False  # let go of where the way says so, and not taken again

    def reset(self, task: Task) -> None:
        """Forget the path."""
        self._seen.reset()
        self._judge.reset(task)
        self._graded = self._path = None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward with the terms it is made of."""
        c = self._config
        tip = tip_position(self._robot, observation)
        known = self._seen.update(observation.keypoints)
        affordance = observation.affordance
        success = self._judge.judge(observation)
        if affordance is not None and (affordance.stamp, affordance.instruction) != self._graded:
            self._begin(affordance, tip, known)
        if affordance is None or self._path is None:
            dense = -1.0 if c.form == "distance" else 0.0
            terms = {"progress": 0.0, "dense": dense, "affordance": 0.0}
            value = combine(dense, False, c.form)
            return RewardEstimate(observation.stamp, value, None, None, c.weight, terms)
        self._custody.update(affordance, observation, tip, known)
        return self._grade(self._path, affordance, observation, tip, success)

    def _grade(
        self,
        path: BlockPath,
        affordance: Affordance,
        observation: Observation,
        tip: FloatArray,
        success: bool | None,
    ) -> RewardEstimate:
        c = self._config
        gate = self._advance(path, affordance, tip)
        along, beside = path.project(tip, self._block, gate)
        ahead = min(self._block + 1, gate)
        distance = float(np.linalg.norm(tip - path.blocks[ahead]))
        dense = (
            distance_reward(distance, self._diagonal)
            if c.form == "distance"
            else dense_reward(along, beside / c.block, c.weight)
        )
        loitering = self._loiters(path, affordance, observation.stamp, tip, gate)
        return RewardEstimate(
            stamp=observation.stamp,
            value=combine(dense, success is True, c.form, loitering, c.interest, c.idling),
            success=None if success is None else float(success),
            progress=1.0 if success else along,
            uncertainty=None if success is not None else c.weight,
            terms={
                "progress": along,
                "off_path": math.exp(-0.5 * (beside / c.block) ** 2),
                "distance": distance,
                "dense": dense,
                "loitering": loitering,
                "block": float(self._block),
                "waypoint": float(max(ahead - self._first, -1)),
                "success": float(success is True),
                "judged": float(success is not None),
            },
        )

    def _begin(self, affordance: Affordance, tip: FloatArray, known: Mapping[str, Keypoint]) -> None:
        """Lay the path: the tip's start, the grasp, the waypoints."""
        grasp = point_of(affordance.grasp, known)
        start = [tip] if self._config.from_start else []
        middle = [grasp] if grasp is not None else []
        blocks = [*start, *middle, *affordance.waypoints]
        self._graded = (affordance.stamp, affordance.instruction)
        self._path = BlockPath.through(np.array(blocks)) if blocks else None
        self._first = len(start) + len(middle)
        moved = point_of(affordance.moves, known)
        pushed = self._path is not None and affordance.grasp is None and moved is not None
        self._touching = self._path.segment_of(moved) if self._path and pushed and moved is not None else 0
        self._block = 0
        self._delivered = False
        self._custody.begin(affordance, known)
        self._loitering.reset()

    def _advance(self, path: BlockPath, affordance: Affordance, tip: FloatArray) -> int:
        """Move the block index inside its window and its gate; return the gate.

        The window, one block back and two ahead, keeps a path that crosses itself from being cut short.
        """
        gate = self._gate(path, affordance)
        self._block = path.nearest(tip, min(self._block - 1, gate), min(self._block + 2, gate))
        return gate

    def _gate(self, path: BlockPath, affordance: Affordance) -> int:
        """Return the last block that counts.

        That is the grasp until the object is held, and where a push meets its object until that moves.
        What was let go of at the end of its way has come that far, wherever the tip goes next.
        """
        if affordance.grasp is None:
            waits = affordance.moves is not None and not self._custody.under_way
            return self._touching if waits else path.last
        held, released = self._custody.held, self._block >= self._release(affordance)
        self._delivered = not held and (self._delivered or released)
        return path.last if held or self._delivered else max(self._first - 1, 0)

    def _release(self, affordance: Affordance) -> int:
        """Return the block at which a carried object is let go."""
        carried = np.flatnonzero(affordance.closed)
        return self._first + int(carried[-1]) if len(carried) else max(self._first - 1, 0)

    def _loiters(
        self, path: BlockPath, affordance: Affordance, stamp: int, tip: FloatArray, gate: int
    ) -> float:
        """Return how far the tip's rest counts as loitering; nothing does where the way is done.

        It rests on a block that counts, or on the first one behind a gate that is shut: a hand that hovers
        over what it should take.
        """
        block = path.nearest(tip, 0, gate + 1)
        at_block = float(np.linalg.norm(tip - path.blocks[block])) <= self._config.block / 2
        done = self._delivered if affordance.grasp is not None else self._block == path.last
        return self._loitering.update(stamp, block, at_block and not done)
