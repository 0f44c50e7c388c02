"""Models for benches that ask what happens to a moving arm: a policy that never rests, and no other wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import (
    NANOSECONDS,
    ActionChunk,
    Affordance,
    CameraFrame,
    FloatArray,
    JointState,
    Observation,
    Percept,
    RewardEstimate,
    Task,
)

PULSE = 8.0  # rad/s
REACH = 0.15  # rad or m, at most
SHARE = 0.4  # of the velocity and acceleration limits


@dataclass(frozen=True, slots=True)
class SwayConfig:
    """How far it looks ahead."""

    rows: int = 1


class Sway:
    """Moves every joint to and fro around home; where it is wanted follows from the stamp alone."""

    def __init__(self, config: SwayConfig, robot: Robot, hardware: Hardware) -> None:
        self._rows, self._dt = config.rows, hardware.config.control_period
        room = np.minimum(robot.home - robot.lower, robot.upper - robot.home)
        by_speed = np.minimum(SHARE * robot.velocity / PULSE, SHARE * robot.acceleration / PULSE**2)
        self._reach = np.minimum(np.minimum(by_speed, REACH), room)
        self._home = robot.home
        self._phase = np.arange(len(robot.home)) * 0.7

    def reset(self, task: Task) -> None:
        """Nothing is remembered."""

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the rows from the observation's stamp on."""
        return ActionChunk(observation.stamp, self._dt, self.positions(observation.stamp))

    def positions(self, stamp: int) -> FloatArray:
        """Return where the joints are wanted, (rows, n), from a stamp on."""
        seconds = stamp / NANOSECONDS + self._dt * np.arange(1, self._rows + 1)
        rows: FloatArray = self._home + self._reach * np.sin(PULSE * seconds[:, None] + self._phase)
        return rows


class Blind:
    """Perception that sees nothing, in every frame."""

    def reset(self, task: Task) -> None:
        """Nothing is remembered."""

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return no keypoints."""
        return Percept(joints.stamp)


class Anywhere:
    """An affordance model that takes every sentence, and leads nowhere in particular."""

    def propose(self, observation: Observation, instruction: str) -> Affordance:
        """Return one waypoint at the base."""
        way = np.zeros((1, 3))
        return Affordance(
            observation.stamp, instruction, None, way, None, "anywhere", np.zeros(1, dtype=bool)
        )


class Indifferent:
    """A reward model to which everything is alike."""

    def reset(self, task: Task) -> None:
        """Nothing is remembered."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return 0."""
        return RewardEstimate(observation.stamp, 0.0)
