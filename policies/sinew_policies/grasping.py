"""Which way to turn the gripper for an object, and where beside it the tip has to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray, Keypoint

from sinew_policies.inverse_kinematics import TipPose, TipSolver, wrapped
from sinew_policies.jaw_geometry import Jaws
from sinew_policies.memory import width_along

SQUARE = 1.2  # the ratio of two sides below which an object may be grasped across either
CANDIDATE_ITERATIONS = 20  # enough to compare answers; each costs control time
TURNING = 0.3  # the cost of turning the tip by 1 rad beside that of moving a joint by 1 rad
CROWDED = 400.0  # the cost of coming down 1 m deep into something else
JAW_RADIUS = 0.008  # m, about half the thickness of a jaw
FLAT = 0.01  # m; lower things do not stop a jaw
OUT_OF = 0.010  # m, by which an object inside another is held higher: the other's floor and wall are near
UNKNOWN_WIDTH = 0.028  # m, of an object whose extent perception does not tell


@dataclass(frozen=True, slots=True)
class Grasp:
    """A grasp from above; all positions m, base frame."""

    centre: FloatArray  # (3,) of the object, at the height of the tip
    above: float  # m, of the tip over the object's centre
    yaw: float  # rad, of the closing axis
    aperture: float  # of the gripper before closing, and on letting go
    open_shift: float  # m along the closing axis, from the tip to the object before closing
    held_shift: float  # m, the same once the jaws have closed

    @property
    def axis(self) -> FloatArray:
        """Return the closing axis (3,)."""
        return np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])

    def before(self, height: float = 0.0) -> FloatArray:
        """Return where the tip belongs with the open jaws around the object, or `height` above."""
        tip: FloatArray = self.centre + np.array([0.0, 0.0, height])
        return tip - self.open_shift * self.axis

    def around(self) -> FloatArray:
        """Return where the tip belongs when the jaws close."""
        return np.array(self.centre - self.held_shift * self.axis)

    def carrying(self, point: FloatArray) -> FloatArray:
        """Return where the tip belongs for the held object's centre to be at `point`."""
        tip: FloatArray = point + np.array([0.0, 0.0, self.above])
        return tip - self.held_shift * self.axis

    def turned(self, yaw: float) -> Grasp:
        """Return the same grasp with the gripper, and the object in it, at another yaw."""
        return replace(self, yaw=yaw)


def closing_yaws(item: Keypoint, present: float) -> list[float]:
    """Return the yaws of the closing axis at which an object can be grasped, rad.

    Across the narrower side; across either side of a square; anyhow, in steps of 45 degrees from the
    present yaw, where the object has no yaw. A gripper turned by half a turn closes on the same sides.
    """
    if item.yaw is None:
        return [present + k * np.pi / 4 for k in range(8)]
    across = item.yaw + np.pi / 2
    return [across + k * np.pi / 2 for k in range(0, 4, 1 if is_square(item) else 2)]


def is_square(item: Keypoint) -> bool:
    """Tell whether nobody can tell an object's sides apart, seen from above; unknown ones count as square."""
    return item.extent is None or float(max(item.extent[:2])) < SQUARE * float(min(item.extent[:2]))


def best_yaw(
    solver: TipSolver,
    position: FloatArray,
    yaws: Mapping[float, float],
    joints: FloatArray,
    present_yaw: float,
) -> float:
    """Return the yaw that the arm reaches best at `position` from `joints`, with the least motion.

    `yaws` holds what each of them costs beforehand; one unit is as bad as moving a joint by 1 rad.
    """

    def cost(yaw: float) -> float:
        solution = solver.solve(TipPose(position, yaw), joints, CANDIDATE_ITERATIONS)
        motion = float(np.abs(solution.position - joints).max()) + TURNING * abs(wrapped(yaw - present_yaw))
        unreached = 200.0 * max(solution.error - 1e-3, 0.0) + 5.0 * max(solution.turn - 0.05, 0.0)
        return yaws[yaw] + unreached + motion

    return min(yaws, key=cost)


def crowding(item: Keypoint, yaw: float, others: Iterable[Keypoint], reach: float) -> float:
    """Return how deep the jaws, `reach` (m) to either side of an object, come down into others, m."""
    axis = np.array([np.cos(yaw), np.sin(yaw)])
    jaws = [item.position[:2] + side * reach * axis for side in (-1.0, 1.0)]
    depths = [
        float(max(other.extent[:2])) / 2 + JAW_RADIUS - float(np.linalg.norm(other.position[:2] - jaw))
        for other in others
        if other.extent is not None and other.extent[2] > FLAT
        for jaw in jaws
    ]
    return max([0.0, *depths])


def inside(item: Keypoint, other: Keypoint) -> bool:
    """Tell whether an object stands in another: over it, and lower than its rim."""
    if other.extent is None or item.extent is None:
        return False
    over = float(np.linalg.norm((other.position - item.position)[:2])) < float(min(other.extent[:2])) / 2
    bottom, rim = item.position[2] - item.extent[2] / 2, other.position[2] + other.extent[2] / 2
    return over and bool(bottom < rim - FLAT)


def plan_grasp(
    item: Keypoint,
    others: Iterable[Keypoint],
    solver: TipSolver,
    jaws: Jaws,
    joints: FloatArray,
    present_yaw: float,
    lowest: float,
    clearance: float,
) -> Grasp:
    """Return the grasp of an object that the arm reaches best from `joints` (n,), clear of the others.

    The tip stays above `lowest`, and the jaws open to `clearance` on either side of the object, both m:
    no further, since a jaw that swings wide hits what stands beside. What stands in another is held nearer
    to its top.
    """
    others = list(others)
    beside = [other for other in others if not inside(item, other)]
    raised = 0.0 if len(beside) == len(others) or item.extent is None else min(OUT_OF, item.extent[2] / 3)
    centre = np.array([item.position[0], item.position[1], max(item.position[2] + raised, lowest)])

    def crowded(yaw: float) -> float:
        reach = width_along(item, yaw, UNKNOWN_WIDTH) / 2 + clearance + JAW_RADIUS
        return CROWDED * crowding(item, yaw, beside, reach)

    yaws = {yaw: crowded(yaw) for yaw in closing_yaws(item, present_yaw)}
    yaw = best_yaw(solver, centre, yaws, joints, present_yaw)
    width = width_along(item, yaw, UNKNOWN_WIDTH)
    above = float(centre[2] - item.position[2])
    opening = width + 2 * clearance
    return Grasp(centre, above, yaw, jaws.aperture(opening), jaws.middle(opening), jaws.middle(width))
