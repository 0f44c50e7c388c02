"""A scripted policy whose hand is not steady, for demonstrations that also show how to get back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sinew_core.protocols import Policy
from sinew_core.robot import Robot
from sinew_core.types import ActionChunk, FloatArray, Observation, Task


@dataclass(frozen=True, slots=True)
class UnsteadyConfig:
    """An Ornstein-Uhlenbeck process on the arm's joint targets; the gripper is left alone."""

    size: float = 0.008  # rad, standard deviation
    time: float = 0.5  # s, after which it has mostly forgotten itself

    def __post_init__(self) -> None:
        """Check the signs."""
        if self.size < 0 or self.time <= 0:
            raise ValueError("size: expected at least 0; time: expected a positive number of seconds.")


class Unsteady:
    """Adds noise to the rows of another policy, which goes on from where it meant to be.

    After Laskey et al. 2017, "DART: Noise Injection for Robust Imitation Learning": a demonstrator who is
    disturbed visits, and so demonstrates, the states that a learner's small errors lead to.
    """

    def __init__(self, policy: Policy, config: UnsteadyConfig, robot: Robot, dt: float, seed: int) -> None:
        self._policy, self._config, self._robot = policy, config, robot
        self._keep = float(np.exp(-dt / config.time))
        self._rng = np.random.default_rng(seed)
        self._offset: FloatArray = np.zeros(len(robot.joint_names))

    def reset(self, task: Task) -> None:
        """Begin an episode with a steady hand."""
        self._offset = np.zeros_like(self._offset)
        self._policy.reset(task)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the policy's rows (k, n), all off by the same."""
        chunk = self._policy.infer(observation)
        fresh = self._rng.normal(0, self._config.size * np.sqrt(1 - self._keep**2), len(self._offset))
        self._offset = self._keep * self._offset + fresh
        self._offset[self._robot.gripper_index] = 0.0
        position = np.clip(chunk.position + self._offset, self._robot.lower, self._robot.upper)
        return replace(chunk, position=position)
