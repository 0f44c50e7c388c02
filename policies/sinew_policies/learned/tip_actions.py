"""The actions of learned policies: a short straight motion of the tip, a turn, and open or close.

An action is (5,) in [-1, 1]: the way of the tip in its own directions, which are those of the base frame
turned about the vertical by the tip's yaw, the turn of the closing axis, and the gripper, closed below
zero. It lasts some control periods and starts from where the tip was last sent, so that executed joint
targets can be read back as the action that they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray

from sinew_policies.inverse_kinematics import TipPose, TipSolver, TipSolverConfig, wrapped
from sinew_policies.learned.encoding import tip_yaw, turned

ACTION = 5
GRIPPER = 4  # the gripper's place in an action
OPEN, CLOSE = 1.0, -1.0


@dataclass(frozen=True, slots=True)
class TipActionConfig:
    """How far an action reaches and how long it lasts."""

    periods: int = 4  # control periods an action lasts
    reach: float = 0.05  # m along each axis, for an action of 1
    turn: float = 0.6  # rad, for an action of 1
    squeeze: float = 0.1  # of the aperture, by which a closing command leads the jaws
    astray: float = 0.05  # m between where the tip was sent and where it is, beyond which it starts anew
    margin: float = 0.005  # m kept inside the workspace
    iterations: int = 8  # of inverse kinematics
    solver: TipSolverConfig = field(default_factory=TipSolverConfig)

    def __post_init__(self) -> None:
        """Check that an action does something."""
        if self.periods < 1 or self.iterations < 1:
            raise ValueError("periods and iterations: expected at least 1.")
        if min(self.reach, self.turn, self.squeeze, self.astray) <= 0:
            raise ValueError("reach, turn, squeeze and astray must be positive.")


class TipActions:
    """Turns actions into joint targets, and joint targets that were executed back into actions."""

    def __init__(self, config: TipActionConfig, hardware: Hardware) -> None:
        self.config, self._robot = config, hardware.robot
        self._solver = TipSolver(hardware.robot, config.solver)
        safety = hardware.config.safety
        self._lower = np.array(safety.workspace_lower) + config.margin
        self._upper = np.array(safety.workspace_upper) - config.margin
        self._lower[2] = max(self._lower[2], safety.floor + config.margin)

    def rows(self, action: npt.ArrayLike, sent: FloatArray, measured: FloatArray) -> FloatArray:
        """Return the joint targets (periods, n) of an action (5,), given the last target sent (n,).

        Where the arm has not followed (`astray`), the motion starts from the measured joints (n,).
        """
        c, robot = self.config, self._robot
        a = np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0)
        start, pose = sent, self._tip(sent)
        if np.linalg.norm(pose[:3, 3] - self._tip(measured)[:3, 3]) > c.astray:
            start, pose = measured, self._tip(measured)
        wanted = np.clip(pose[:3, 3] + turned(a[:3] * c.reach, tip_yaw(pose)), self._lower, self._upper)
        goal = TipPose(wanted, wrapped(tip_yaw(pose) + float(a[3]) * c.turn))
        end = self._solver.solve(goal, start, c.iterations).position
        share = np.arange(1, c.periods + 1)[:, None] / c.periods
        rows = start + share * (end - start)
        rows[:, robot.gripper_index] = self.gripper(float(a[GRIPPER]), measured)
        return rows

    def gripper(self, action: float, measured: FloatArray) -> float:
        """Return the gripper's target: open, or a little tighter than it is measured to be."""
        robot = self._robot
        if action >= 0:
            return robot.gripper_position(OPEN)
        return robot.gripper_position(max(0.0, robot.aperture(measured) - self.config.squeeze))

    def action(self, before: FloatArray, after: FloatArray, measured: FloatArray) -> npt.NDArray[np.float32]:
        """Return the action (5,) that leads from one joint target sent to a later one, both (n,).

        `measured` are the joints (n,) when the later one was sent: a gripper that is told to be tighter
        than it is, is closing or holding.
        """
        c, robot = self.config, self._robot
        first, last = self._tip(before), self._tip(after)
        values = np.empty(ACTION)
        values[:3] = turned(last[:3, 3] - first[:3, 3], -tip_yaw(first)) / c.reach
        values[3] = wrapped(tip_yaw(last) - tip_yaw(first)) / c.turn
        wanted = robot.aperture(after)
        closing = wanted < c.squeeze / 2 or wanted < robot.aperture(measured) - c.squeeze / 2
        values[GRIPPER] = CLOSE if closing else OPEN
        return np.clip(values, -1.0, 1.0).astype(np.float32)

    def _tip(self, joints: FloatArray) -> FloatArray:
        return self._robot.chain.pose(self._robot.tip_link, joints)
