"""Jogging: velocities of the tip or of single joints, integrated from the present target on."""

from __future__ import annotations

from dataclasses import dataclass

import mink
import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray

from sinew_teleop.differential import TipMotion
from sinew_teleop.shaping import shortened
from sinew_teleop.wishes import Wish

MARGIN = 0.001  # m inside the workspace: on its face the station would cut sideways motion back, too
SLACK = 0.002  # m that the wanted tip may be ahead of what the joints reach
SLACK_TURN = 0.02  # rad, likewise
LEAD = 4.0  # steps that the joints may be ahead of the last command really sent
FADE = 0.8  # by which the memory of the last steps' length shrinks in a step
SAME = 0.05  # rad or m; a target nearer to where jogging left off is the same place


@dataclass(frozen=True, slots=True)
class JogConfig:
    """Full speeds, of which the speed scale takes its share."""

    linear: float = 0.20  # m/s of the tip
    angular: float = 1.2  # rad/s of the tip
    joint: float = 0.8  # rad/s of a single joint (m/s of a sliding one)
    ramp: float = 0.2  # s from rest to full speed
    gripper: float = 0.5  # s from open to closed

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.linear, self.angular, self.joint, self.ramp, self.gripper) <= 0:
            raise ValueError("jog speeds and times must be positive.")


class JogIntegrator:
    """Joint targets from velocities.

    The tip follows a wanted pose that the velocities move: a straight line stays straight, and a tilt
    that the arm could not keep comes back where it can. The wanted pose never runs away from what the
    joints reach, nor the joints from what was really sent: at a limit, at an obstacle or with the arm
    stretched, turning back answers at once.
    """

    def __init__(self, hardware: Hardware, config: JogConfig) -> None:
        self._robot, self._config = hardware.robot, config
        self._dt = hardware.config.control_period
        self._motion = TipMotion(hardware.robot)
        box = hardware.config.safety
        self._lower = np.array(box.workspace_lower) + MARGIN
        self._upper = np.array(box.workspace_upper) - MARGIN
        self._lower[2] = max(self._lower[2], box.floor + MARGIN)
        self._wanted = np.eye(4)
        self._left: FloatArray | None = None  # (n,) where jogging left off
        self.position = hardware.robot.home.copy()

    def begin(self, target: FloatArray) -> FloatArray:
        """Begin at joints (n,) and return them, inside the limits of the robot."""
        self.position = np.clip(target, self._robot.lower, self._robot.upper)
        here = self._motion.pose(self.position)
        left = self._left
        if left is not None and np.abs(self.position - left).max() < SAME:
            here[:3, :3] = self._wanted[:3, :3]  # the orientation that was wanted before counts still
        self._wanted = here
        self._speed = self._turning = self._reach = 0.0
        return self.position.copy()

    def step(self, wish: Wish, target: FloatArray, gripper: float) -> FloatArray:
        """Return the joints (n,) one control period on, with the gripper where it is told to be.

        `target` (n,) is the last command really sent.
        """
        before = self.position
        self._keep_near(target)
        if wish.joints is not None:
            self._step_joints(wish.joints)
        elif wish.moves:
            self._step_tip(wish)
        else:
            self._speed = self._turning = 0.0
        self._reach = max(float(np.abs(self.position - before).max()), FADE * self._reach)
        self.position[self._robot.gripper_index] = gripper
        self._left = self.position.copy()
        return self.position.copy()

    def _keep_near(self, target: FloatArray) -> None:
        """Take back what lies further ahead of the last command sent than late answers explain."""
        ahead = self.position - target
        ahead[self._robot.gripper_index] = 0.0  # ramped on its own
        excess = float(np.abs(ahead).max()) - LEAD * self._reach
        if excess > 0 and self._reach > 0:
            self.position = self.position - ahead * (excess / float(np.abs(ahead).max()))
            self._wanted[:3, 3] = self._motion.pose(self.position)[:3, 3]

    def _step_joints(self, rates: FloatArray) -> None:
        rates = np.clip(rates, -self._motion.speed, self._motion.speed)
        moved = self.position + rates * self._dt
        self.position = np.clip(moved, self._robot.lower, self._robot.upper)
        self._wanted = self._motion.pose(self.position)
        self._speed = self._turning = 0.0

    def _step_tip(self, wish: Wish) -> None:
        linear, angular = self._eased(*wish.twist(self._motion.pose(self.position)))
        start = self._wanted[:3, 3].copy()
        self._advance(linear, angular)
        self.position = self._inside_step()
        self._catch_up(start, turned=bool(np.any(angular)))

    def _eased(self, linear: FloatArray, angular: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the velocities with their rise limited; slowing down is left to the station."""
        c, share = self._config, self._dt / self._config.ramp
        linear = shortened(linear, min(c.linear, self._speed + share * c.linear))
        angular = shortened(angular, min(c.angular, self._turning + share * c.angular))
        self._speed, self._turning = float(np.linalg.norm(linear)), float(np.linalg.norm(angular))
        return linear, angular

    def _advance(self, linear: FloatArray, angular: FloatArray) -> None:
        """Move the wanted pose; it stays inside the workspace, or goes no further out."""
        here = self._wanted[:3, 3]
        lower, upper = np.minimum(self._lower, here), np.maximum(self._upper, here)
        self._wanted[:3, 3] = np.clip(here + linear * self._dt, lower, upper)
        turn = mink.SO3.exp(angular * self._dt).as_matrix()
        self._wanted[:3, :3] = turn @ self._wanted[:3, :3]

    def _inside_step(self) -> FloatArray:
        """Return the joints (n,) a step toward the wanted pose, or toward its point alone, or as they are.

        At the limits of the joints a turn can cost the point its place, and the table is near.
        """
        aim, allowed = self._aim(), max(self._outside(self.position), MARGIN / 2)
        point = aim.copy()
        point[:3, :3] = self._motion.pose(self.position)[:3, :3]
        for pose in (aim, point):
            position = self._motion.toward(self.position, pose, self._dt)
            if self._outside(position) <= allowed:
                return position
        return self.position

    def _outside(self, position: FloatArray) -> float:
        """Return how far the tip is outside the workspace, m; negative inside."""
        point = self._motion.pose(position)[:3, 3]
        return float(max((self._lower - point).max(), (point - self._upper).max()))

    def _aim(self) -> FloatArray:
        """Return the wanted pose (4, 4), with the orientation no further than one step can turn."""
        aim, here = self._wanted.copy(), self._motion.pose(self.position)[:3, :3]
        way = shortened(_turn_between(here, aim[:3, :3]), self._config.angular * self._dt)
        aim[:3, :3] = here @ mink.SO3.exp(way).as_matrix()
        return aim

    def _catch_up(self, start: FloatArray, *, turned: bool) -> None:
        """Take the wanted pose back to what was reached, but for a little; a tilt may stay wanted.

        The point goes back on its line: else the tip would slide along the end of its reach.
        """
        here = self._motion.pose(self.position)
        way = self._wanted[:3, 3] - start
        self._wanted[:3, 3] = start + way * _share_within(start - here[:3, 3], way, SLACK)
        self._wanted[:3, 3] = here[:3, 3] + shortened(self._wanted[:3, 3] - here[:3, 3], SLACK)
        if turned:
            turn = shortened(_turn_between(here[:3, :3], self._wanted[:3, :3]), SLACK_TURN)
            self._wanted[:3, :3] = here[:3, :3] @ mink.SO3.exp(turn).as_matrix()


def _share_within(offset: FloatArray, way: FloatArray, radius: float) -> float:
    """Return the greatest share s of a way in [0, 1] with |offset + s way| <= radius, else 0."""
    a, b, c = way @ way, offset @ way, offset @ offset - radius**2
    discriminant = b * b - a * c
    if a == 0 or discriminant < 0:
        return 0.0
    return float(np.clip((-b + np.sqrt(discriminant)) / a, 0.0, 1.0))


def _turn_between(here: FloatArray, there: FloatArray) -> FloatArray:
    """Return the rotation vector (3,), in the frame of `here`, that turns `here` into `there`."""
    vector: FloatArray = mink.SO3.from_matrix(here.T @ there).log()
    return vector
