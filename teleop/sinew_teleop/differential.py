"""Small motions of the gripper's tip as motions of the joints: damped differential inverse kinematics.

One quadratic programme a step, by mink: the joints that bring the tip nearest to where it is wanted,
inside their position limits. Damping bounds the joints near singularities (Levenberg and Marquardt; as
used for manipulators by Nakamura and Hanafusa 1986), and a step that would be too fast for a joint is
shortened as a whole, so that the tip slows down instead of leaving its line.
"""

from __future__ import annotations

from dataclasses import dataclass

import mink
import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray
from sinew_policies.inverse_kinematics import SOLVER, arm_model


@dataclass(frozen=True, slots=True)
class TipMotionConfig:
    """Weights in metres per radian beside a position weight of 1."""

    orientation_weight: float = 0.03  # so small that an arm with too few joints keeps the position
    damping: float = 1e-4  # m^2/rad^2
    fastest: float = 1.5  # rad/s of any joint, near singularities
    share: float = 0.5  # of each joint's velocity limit


class TipMotion:
    """Moves joints so that the tip comes nearer to a pose; remembers nothing."""

    def __init__(self, robot: Robot, config: TipMotionConfig | None = None) -> None:
        self._robot, self._config = robot, config or TipMotionConfig()
        c = self._config
        self._arm = np.array([i for i, n in enumerate(robot.joint_names) if n != robot.gripper.joint])
        model = arm_model(robot)
        self._columns = np.array([model.joint(robot.joint_names[i]).qposadr[0] for i in self._arm])
        self._configuration = mink.Configuration(model)
        self._task = mink.FrameTask(
            robot.tip_link, "body", position_cost=1.0, orientation_cost=c.orientation_weight
        )
        self._limits = [mink.ConfigurationLimit(model, gain=1.0)]
        self.speed = np.minimum(c.share * robot.velocity, c.fastest)  # (n,) rad/s or m/s

    def pose(self, position: FloatArray) -> FloatArray:
        """Return the tip in the base frame, `X_BT` (4, 4), at joints (n,)."""
        return self._robot.chain.pose(self._robot.tip_link, position)

    def toward(self, position: FloatArray, wanted: FloatArray, dt: float) -> FloatArray:
        """Return the joints (n,) after one step of `dt` s toward the tip pose `wanted` (4, 4).

        The gripper stays. `position` must lie inside the limits.
        """
        self._task.set_target(mink.SE3.from_matrix(wanted))
        q = np.zeros(self._configuration.model.nq)
        q[self._columns] = position[self._arm]
        self._configuration.update(q)
        step = mink.solve_ik(
            self._configuration,
            [self._task],
            dt=1.0,
            solver=SOLVER,
            damping=self._config.damping,
            limits=self._limits,
        )
        way = np.zeros_like(position)
        way[self._arm] = step[self._columns]
        way *= min(1.0, 1.0 / max(float(np.max(np.abs(way) / (self.speed * dt))), 1e-12))
        return np.clip(position + way, self._robot.lower, self._robot.upper)
