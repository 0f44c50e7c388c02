"""What every manipulation is put together from: go, grip, look; written as generators of tip goals.

A script yields the tip goal of each control period and is resumed when the next observation is in
`TipSkills.now`. So a sequence with loops and retries reads from top to bottom.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Keypoint, Observation

from sinew_policies.inverse_kinematics import TipSolverConfig
from sinew_policies.jaw_geometry import measure_jaws
from sinew_policies.memory import ObjectView
from sinew_policies.straight_lines import MotionConfig, TipGoal, TipMotion

T = TypeVar("T")
Script = Generator[TipGoal, None, T]


@dataclass(frozen=True, slots=True)
class SkillConfig:
    """Heights, margins and waits; the same for every robot."""

    motion: MotionConfig = field(default_factory=MotionConfig)
    solver: TipSolverConfig = field(default_factory=TipSolverConfig)
    travel_height: float = 0.08  # m, of the tip where it moves sideways
    lowest: float = 0.012  # m, of the tip; the fingers end below it
    clearance: float = 0.012  # m between an object and each open jaw
    moved: float = 0.015  # m, from which on an object counts as moved
    held_aperture: float = 0.12  # above this, a closed gripper has something in it
    squeeze: float = 0.1  # of the aperture, by which the gripper is told to close beyond what it holds
    grip_steps: int = 16  # control periods that the gripper is given at most
    look_steps: int = 3  # control periods for a fresh look
    clear_steps: int = 8  # control periods of looking with the arm out of the way


class TipSkills:
    """The hands and eyes of a script."""

    def __init__(self, config: SkillConfig, hardware: Hardware) -> None:
        self.config, self.robot = config, hardware.robot
        self.view = ObjectView()
        self.jaws = measure_jaws(hardware.robot)
        self.motion = TipMotion(hardware.robot, config.motion, config.solver, hardware.config.control_period)
        self.lowest = max(config.lowest, hardware.config.safety.floor + 0.001)
        self._home = hardware.robot.chain.pose(hardware.robot.tip_link, hardware.robot.home)
        self._now: Observation | None = None

    def begin(self, observation: Observation) -> None:
        """Start an episode from where the arm is."""
        self.view.reset()
        self.motion.begin(observation.joints)

    def see(self, observation: Observation) -> None:
        """Take the observation that the script is resumed with."""
        self._now = observation
        self.view.update(observation)

    @property
    def now(self) -> Observation:
        """The present observation."""
        assert self._now is not None, "see() comes before any script"
        return self._now

    @property
    def aperture(self) -> float:
        """How far the gripper is open, as measured."""
        return self.robot.aperture(self.now.joints.position)

    @property
    def holds(self) -> bool:
        """Whether something keeps the gripper from closing as far as it was told to."""
        stopped = self.aperture - self.motion.aperture > self.config.squeeze / 2
        return stopped and self.aperture > self.config.held_aperture

    def here(self, aperture: float) -> TipGoal:
        """Return the goal of staying where the command is."""
        return TipGoal(self.motion.position.copy(), self.motion.yaw, aperture)

    def stay(self) -> TipGoal:
        """Return the goal of staying where the command is, the gripper as it was told to be."""
        return self.here(self.motion.aperture)

    def go(self, goal: TipGoal) -> Script[None]:
        """Go to a goal."""
        while True:
            yield goal
            if self.motion.arrived(goal, self.now.joints):
                return

    def carry(self, goal: TipGoal) -> Script[bool]:
        """Go to a goal with something in the gripper; return False as soon as it is lost."""
        empty = 0
        while not self.motion.arrived(goal, self.now.joints) or empty:
            yield goal
            empty = 0 if self.holds else empty + 1
            if empty > 2:
                return False
        return True

    def wait(self, goal: TipGoal, steps: int) -> Script[None]:
        """Stay for some control periods."""
        for _ in range(steps):
            yield goal

    def rise(self, aperture: float) -> Script[None]:
        """Go straight up to the height for moving sideways."""
        position = self.motion.position.copy()
        position[2] = max(position[2], self.config.travel_height)
        yield from self.go(TipGoal(position, self.motion.yaw, aperture, passing=0.01))

    def travel(self, position: FloatArray, yaw: float, aperture: float, passing: float = 0.0) -> Script[None]:
        """Go somewhere high enough to hit nothing; from low down, straight up first."""
        sideways = float(np.linalg.norm(position[:2] - self.motion.position[:2]))
        if sideways > 0.02 and self.motion.position[2] < min(position[2], self.config.travel_height) - 0.02:
            yield from self.rise(aperture)
        yield from self.go(TipGoal(position, yaw, aperture, passing=passing))

    def close(self, goal: TipGoal) -> Script[None]:
        """Close the gripper at a goal until it stops, on something or on nothing.

        The command leads the jaws by `squeeze` only: a servo told to close all the way pushes with all it
        has, without damping, and jolts light things out of the jaws.
        """
        still, last = 0, self.aperture
        for step in range(self.config.grip_steps):
            yield replace(goal, aperture=max(0.0, min(self.aperture, last) - self.config.squeeze))
            still = still + 1 if abs(self.aperture - last) < 0.02 else 0
            last = self.aperture
            if step > 2 and still >= 2:
                return

    def open(self, aperture: float) -> Script[None]:
        """Open the gripper where it is."""
        goal = self.here(aperture)
        for _ in range(self.config.grip_steps):
            yield goal
            if self.aperture > aperture - 0.05:
                return

    def find(self, where: str | FloatArray | None) -> Script[Keypoint | None]:
        """Look for an object, with the arm out of the way if need be; return what is best known of it."""
        for _ in range(self.config.look_steps):
            if self.view.seen(where) is not None:
                return self.view.seen(where)
            yield self.stay()
        if self.view.seen(where) is None:
            yield from self.clear_view(where)
        return self.view.seen(where) or self.view.known(where)

    def clear_view(self, where: str | FloatArray | None) -> Script[None]:
        """Go home, where the arm hides nothing, until an object is seen or there is no use in waiting."""
        yield from self.rise(self.motion.aperture)
        yaw = float(np.arctan2(self._home[1, 1], self._home[0, 1]))
        goal = TipGoal(self._home[:3, 3], yaw, self.motion.aperture)
        while not self.motion.arrived(goal, self.now.joints):
            yield goal
            if self.view.seen(where) is not None:
                return
        for _ in range(self.config.clear_steps):
            yield goal
            if self.view.seen(where) is not None:
                return
