"""What scripted arms do in episodes that rewards are learnt from: the task, well, badly or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Affordance, FloatArray, Observation, Task
from sinew_policies.affordance_follower import AffordanceFollower
from sinew_policies.affordance_follower import Config as FollowerConfig

# Done as planned; with an unsteady hand; beside the target; with an open hand; broken off; aimlessly.
Behaviour = Literal["done", "shaky", "beside", "empty", "halted", "aimless"]
SHARES: dict[Behaviour, float] = {
    "done": 0.3,
    "shaky": 0.2,
    "beside": 0.15,
    "empty": 0.1,
    "halted": 0.15,
    "aimless": 0.1,
}
SPREAD: dict[Behaviour, float] = {"shaky": 0.06, "aimless": 0.4}  # rad, of the joints about the plan
STEADY = 0.008  # rad, of all other hands
CALM = 0.5  # s in which noise forgets itself
OFF = (0.04, 0.1)  # m, how far beside the target
HALT = (10, 45)  # control periods after which it is broken off


def behaviour_of(seed: int) -> Behaviour:
    """Return what the arm does in an episode."""
    kinds = list(SHARES)
    return kinds[int(np.random.default_rng([17, seed]).choice(len(kinds), p=list(SHARES.values())))]


class Hand:
    """The follower of affordances, spoilt as a behaviour says; the noise is an Ornstein-Uhlenbeck process."""

    def __init__(self, hardware: Hardware, behaviour: Behaviour, seed: int) -> None:
        self._policy, self._robot = AffordanceFollower(FollowerConfig(), hardware), hardware.robot
        self._behaviour, self._seed = behaviour, seed
        self._keep = float(np.exp(-hardware.config.control_period / CALM))
        self.reset(Task("", ""))

    def reset(self, task: Task) -> None:
        """Begin an episode, the same one again."""
        self._policy.reset(task)
        rng = self._rng = np.random.default_rng([19, self._seed])
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(*OFF)
        self._aside = length * np.array([np.cos(angle), np.sin(angle), 0.0])  # m
        self._left = int(rng.integers(*HALT)) if self._behaviour == "halted" else -1
        self._off: FloatArray = np.zeros(len(self._robot.joint_names))
        self._home: FloatArray | None = None
        self._last: FloatArray | None = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return what this hand makes of the plan."""
        chunk, robot = self._policy.infer(self._as_meant(observation)), self._robot
        self._left -= 1
        if self._left == -1 or (self._left < 0 and self._last is not None and self._behaviour == "halted"):
            self._last = observation.joints.position.copy() if self._last is None else self._last
            return replace(chunk, position=self._last[None].copy())
        wanted = self._wander(observation) if self._behaviour == "aimless" else chunk.position
        position = np.clip(wanted + self._noise(), robot.lower, robot.upper)
        if self._behaviour == "empty":
            position[:, robot.gripper_index] = robot.gripper_position(1.0)
        return replace(chunk, position=position)

    def _as_meant(self, observation: Observation) -> Observation:
        """Return the observation with the affordance that this hand goes by."""
        affordance = observation.affordance
        if affordance is None or self._behaviour != "beside":
            return observation
        return replace(observation, affordance=_moved(affordance, observation, self._aside))

    def _wander(self, observation: Observation) -> FloatArray:
        """Return where the arm was at first (1, n)."""
        if self._home is None:
            self._home = observation.joints.position.copy()
        return self._home[None]

    def _noise(self) -> FloatArray:
        fresh = self._rng.normal(size=len(self._off)) * SPREAD.get(self._behaviour, STEADY)
        self._off = self._keep * self._off + np.sqrt(1 - self._keep**2) * fresh
        if self._behaviour != "aimless":
            self._off[self._robot.gripper_index] = 0.0
        return self._off


def _moved(affordance: Affordance, observation: Observation, aside: FloatArray) -> Affordance:
    """Return the affordance with waypoints and target moved aside."""
    target = affordance.target
    if isinstance(target, str):
        target = observation.keypoints[target].position if target in observation.keypoints else None
    target = None if target is None else target + aside
    return replace(affordance, waypoints=affordance.waypoints + aside, target=target)
