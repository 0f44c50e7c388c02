"""Moves the tip in a straight line to the affordance's last waypoint, and stays there."""

from __future__ import annotations

from dataclasses import dataclass, field

from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Observation, Task

from sinew_policies.inverse_kinematics import TipSolverConfig
from sinew_policies.straight_lines import MotionConfig, TipGoal, TipMotion


@dataclass(frozen=True, slots=True)
class Config:
    """How fast to move, and how to solve for the joints."""

    motion: MotionConfig = field(default_factory=MotionConfig)
    solver: TipSolverConfig = field(default_factory=TipSolverConfig)


class Reach:
    """Goes to the last waypoint whatever lies on the way; without an affordance it holds.

    The gripper and the yaw stay as they are.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._dt = hardware.config.control_period
        self._motion = TipMotion(hardware.robot, config.motion, config.solver, self._dt)
        self._began = False

    def reset(self, task: Task) -> None:
        """Begin anew from wherever the arm will be."""
        self._began = False

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the joint targets of the next control period, (1, n)."""
        motion = self._motion
        if not self._began:
            motion.begin(observation.joints)
            self._began = True
        affordance = observation.affordance
        if affordance is None or len(affordance.waypoints) == 0:
            return ActionChunk(observation.stamp, self._dt, motion.joints[None].copy())
        goal = TipGoal(affordance.waypoints[-1], motion.yaw, motion.aperture)
        return ActionChunk(observation.stamp, self._dt, motion.advance(goal)[None])
