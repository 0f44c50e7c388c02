"""The joints nearest to others that bring the tip to a point: min |q - q_ref|^2 so that FK(q) = x."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.retargeting.robot_arm import RobotArm


@dataclass(frozen=True, slots=True)
class SolverConfig:
    """When to stop, and how far to go at once."""

    iterations: int = 60
    largest_step: float = 0.3  # rad a joint may move in one iteration
    settled: float = 1e-5  # rad, the step below which the answer stands
    damping: float = 1e-4  # m, of the pseudo-inverse, which is singular where the arm is stretched out
    exact: float = 1e-3  # m; what stays farther off is sought without regard to the reference


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which joints are sought; (n,) each."""

    lower: FloatArray
    upper: FloatArray

    def around(self, position: FloatArray, most: FloatArray) -> Bounds:
        """Return the part of these bounds that is at most so far (n,) from a position within them."""
        return Bounds(np.maximum(self.lower, position - most), np.minimum(self.upper, position + most))


@dataclass(frozen=True, slots=True)
class Solution:
    """Joints, and how far off the tip is."""

    position: FloatArray  # (n,)
    error: float  # m


class ClosestJoints:
    """Iterates from a start to a standstill; the gripper stays as it is.

    Each iteration solves the problem with the tip's motion linearised: the step that comes nearest to the
    reference among those that bring the tip to the point; a joint that would leave its bounds stays at
    them, and the others make up for it. Where that leads to no exact answer, the point is out of reach:
    then the nearest point is sought, by damped least squares.
    """

    def __init__(self, arm: RobotArm, config: SolverConfig | None = None) -> None:
        self._arm, self._config = arm, config or SolverConfig()
        self._joints = np.array(arm.joints, np.intp)

    def solve(self, point: FloatArray, reference: FloatArray, start: FloatArray, bounds: Bounds) -> Solution:
        """Return the joints nearest to `reference` (n,) that bring the tip to `point` (3,), from a start."""
        found = self._exact(point, reference, np.clip(start, bounds.lower, bounds.upper), bounds)
        if found.error <= self._config.exact:
            return found
        nearest = self._nearest(point, found, bounds)
        return nearest if nearest.error < found.error else found

    def _exact(self, point: FloatArray, reference: FloatArray, start: FloatArray, bounds: Bounds) -> Solution:
        c, q = self._config, start.copy()
        for _ in range(c.iterations):
            tip, J = self._linearised(q)
            step = self._step(J, point - tip, (reference - q)[self._joints], q, bounds)
            step *= min(1.0, c.largest_step / max(float(np.abs(step).max()), 1e-12))
            q[self._joints] += step
            if np.abs(step).max() < c.settled:
                break
        return self._solution(q, point, bounds)

    def _step(
        self, J: FloatArray, error: FloatArray, wanted: FloatArray, q: FloatArray, bounds: Bounds
    ) -> FloatArray:
        """Return the step (m,) nearest to `wanted` with J step = error, within bounds."""
        low, high = (limit[self._joints] - q[self._joints] for limit in (bounds.lower, bounds.upper))
        step, free = np.zeros(len(wanted)), np.ones(len(wanted), np.bool_)
        for _ in range(len(wanted)):
            left = error - J[:, ~free] @ step[~free]
            A = J[:, free]
            square = A @ A.T + self._config.damping**2 * np.eye(3)
            step[free] = wanted[free] + A.T @ np.linalg.solve(square, left - A @ wanted[free])
            outside = free & ((step < low) | (step > high))
            if not outside.any():
                break
            step = np.clip(step, low, high)
            free &= ~outside
        return np.clip(step, low, high)

    def _nearest(self, point: FloatArray, best: Solution, bounds: Bounds) -> Solution:
        """Return the joints whose tip is nearest to a point, going downhill from others."""
        c, damping = self._config, 1e-2
        for _ in range(c.iterations):
            tip, J = self._linearised(best.position)
            J = J * self._movable(J.T @ (point - tip), best.position, bounds)
            pull = np.linalg.solve(J.T @ J + damping**2 * np.eye(len(self._joints)), J.T @ (point - tip))
            q = best.position.copy()
            q[self._joints] += np.clip(pull, -c.largest_step, c.largest_step)
            tried = self._solution(np.clip(q, bounds.lower, bounds.upper), point, bounds)
            gained = best.error - tried.error
            damping = max(damping / 3, 1e-4) if gained > 0 else damping * 4
            best = tried if gained > 0 else best
            if damping > 10 or 0 < gained < 1e-7:
                break
        return best

    def _movable(self, uphill: FloatArray, q: FloatArray, bounds: Bounds) -> FloatArray:
        """Return 0 for a joint that stands at a bound and is drawn beyond it, else 1, (m,)."""
        low, high, at = bounds.lower[self._joints], bounds.upper[self._joints], q[self._joints]
        stuck = ((at <= low + 1e-9) & (uphill < 0)) | ((at >= high - 1e-9) & (uphill > 0))
        return np.where(stuck, 0.0, 1.0)

    def _linearised(self, q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where the tip is (3,) and how it moves with each joint of the arm (3, m)."""
        small, m = 1e-6, len(self._joints)
        around = np.repeat(q[None], 2 * m, 0)
        around[np.arange(m), self._joints] += small
        around[m + np.arange(m), self._joints] -= small
        tips = self._tips(around)
        return tips.mean(0), (tips[:m] - tips[m:]).T / (2 * small)

    def _tips(self, positions: FloatArray) -> FloatArray:
        robot = self._arm.robot
        return robot.chain.poses(robot.tip_link, positions)[:, :3, 3]

    def _solution(self, q: FloatArray, point: FloatArray, bounds: Bounds) -> Solution:
        q = np.clip(q, bounds.lower, bounds.upper)
        return Solution(q, float(np.linalg.norm(self._tips(q[None])[0] - point)))
