"""Straight-line motion of the gripper's tip with bounded speed and acceleration, one row at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointState

from sinew_policies.inverse_kinematics import TipPose, TipSolver, TipSolverConfig, wrapped

WARM_ITERATIONS = 4  # of inverse kinematics; the last row is a centimetre away


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """How fast the tip moves."""

    speed: float = 0.25  # m/s, in free space
    slow: float = 0.10  # m/s, near things
    acceleration: float = 1.5  # m/s^2
    turn_speed: float = 3.0  # rad/s, of the yaw
    turn_acceleration: float = 15.0  # rad/s^2
    arrived: float = 0.004  # m, of the measured tip
    arrived_turn: float = 0.05  # rad, of the commanded yaw
    patience: int = 6  # control periods that a goal is waited for after the command has arrived

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.speed, self.slow, self.acceleration, self.turn_speed, self.turn_acceleration) <= 0:
            raise ValueError("speeds and accelerations must be positive.")


@dataclass(frozen=True, slots=True)
class TipGoal:
    """Where the tip is to go, in a straight line, with the gripper open by `aperture`."""

    position: FloatArray  # (3,) m
    yaw: float  # rad, of the closing axis
    aperture: float  # 0 closed on nothing, 1 open
    slow: bool = False
    passing: float = 0.0  # m before the goal, where it counts as reached without stopping; 0: stop there


class TipMotion:
    """The commanded tip pose on its way, and the joints that belong to it."""

    def __init__(self, robot: Robot, config: MotionConfig, solver: TipSolverConfig, dt: float) -> None:
        self._robot, self._config, self._dt = robot, config, dt
        self.solver = TipSolver(robot, solver)
        self.joints = robot.home.copy()  # (n,) the last row
        self.position = np.zeros(3)  # m, commanded
        self.yaw = 0.0  # rad, commanded
        self.aperture = 1.0  # commanded
        self._velocity = np.zeros(3)
        self._turn = 0.0  # rad/s
        self._waited = 0

    def begin(self, joints: JointState) -> None:
        """Start from where the arm is, at rest."""
        self.joints = joints.position.copy()
        tip = self.tip(joints)
        self.position, self.yaw = tip[:3, 3].copy(), float(np.arctan2(tip[1, 1], tip[0, 1]))
        self.aperture = self._robot.aperture(joints.position)
        self._velocity, self._turn, self._waited = np.zeros(3), 0.0, 0

    def tip(self, joints: JointState) -> FloatArray:
        """Return the measured pose (4, 4) of the tip in the base frame."""
        return self._robot.chain.pose(self._robot.tip_link, joints.position)

    def arrived(self, goal: TipGoal, joints: JointState) -> bool:
        """Tell whether a goal counts as reached; a stopping one waits for the arm, up to its patience."""
        c = self._config
        distance = float(np.linalg.norm(goal.position - self.position))
        if goal.passing > 0:
            return distance <= goal.passing
        if distance > 1e-3 or abs(wrapped(goal.yaw - self.yaw)) > c.arrived_turn:
            self._waited = 0
            return False
        self._waited += 1
        lag = float(np.linalg.norm(self.tip(joints)[:3, 3] - self.position))
        return lag < c.arrived or self._waited > c.patience

    def advance(self, goal: TipGoal) -> FloatArray:
        """Move the commanded pose by one control period towards the goal; return the joints (n,)."""
        self._move(goal)
        self._rotate(goal)
        solution = self.solver.solve(TipPose(self.position, self.yaw), self.joints, WARM_ITERATIONS)
        self.joints = solution.position
        self.aperture = goal.aperture
        self.joints[self._robot.gripper_index] = self._robot.gripper_position(goal.aperture)
        return self.joints.copy()

    def _move(self, goal: TipGoal) -> None:
        c, dt = self._config, self._dt
        way = goal.position - self.position
        distance = float(np.linalg.norm(way))
        if distance < 1e-9:
            self._velocity = np.zeros(3)
            return
        limit = c.slow if goal.slow else c.speed
        braking = stopping_speed(distance, c.acceleration, dt) if goal.passing == 0 else distance / dt
        speed = min(limit, braking)
        change = speed * way / distance - self._velocity
        size = float(np.linalg.norm(change))
        self._velocity = self._velocity + change * min(1.0, c.acceleration * dt / max(size, 1e-12))
        self.position = self.position + self._velocity * dt

    def _rotate(self, goal: TipGoal) -> None:
        c, dt = self._config, self._dt
        angle = wrapped(goal.yaw - self.yaw)
        speed = min(c.turn_speed, stopping_speed(abs(angle), c.turn_acceleration, dt))
        most = c.turn_acceleration * dt
        self._turn += min(max(float(np.sign(angle)) * speed - self._turn, -most), most)
        self.yaw = wrapped(self.yaw + self._turn * dt)


def stopping_speed(distance: float, acceleration: float, dt: float) -> float:
    """Return the greatest speed from which whole control periods of braking end within `distance`.

    Braking from v covers v dt + (v - a dt) dt + ... down to zero: with n whole steps of a dt in v, that
    is (n + 1) v dt - n (n + 1) / 2 a dt^2, solved for v.
    """
    unit = acceleration * dt * dt
    n = np.floor((np.sqrt(1 + 8 * distance / unit) - 1) / 2)
    return float((distance + n * (n + 1) / 2 * unit) / ((n + 1) * dt))
