"""A human arm's motion as a robot's: the tip goes where the hand went, by the smallest change of the joints.

After Asali and Doshi (Visual IRL): a network maps the human's pose to matching joints, and
min |q - q_ref|^2 so that FK(q) = x corrects it until the tip is where the hand is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS, FloatArray

from sinew_rewards.retargeting.closest_joints import Bounds, ClosestJoints, Solution, SolverConfig
from sinew_rewards.retargeting.human_arm import HumanArm, Placement, shoulder_on_shoulder
from sinew_rewards.retargeting.robot_arm import RobotArm

STARTS = 12  # from which the first moment is sought, besides home


@dataclass(frozen=True, slots=True)
class Config:
    """What a motion may and should be."""

    tolerance: float = 0.01  # m, of the tip; what is farther off is told
    follow: float = 0.05  # 0: nearest to the joints before; 1: to the human's pose, where there is a network
    solver: SolverConfig = field(default_factory=SolverConfig)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.tolerance > 0 or not 0 <= self.follow <= 1:
            raise ValueError("expected a tolerance above 0 and follow from 0 to 1.")


@dataclass(frozen=True, slots=True)
class Missed:
    """A moment at which the tip is not where the hand was; the joints are those that come nearest."""

    moment: int
    reason: Literal["out of reach", "too fast"]
    error: float  # m
    nearest: FloatArray  # (3,) m, robot's base, where the tip is instead

    def __str__(self) -> str:
        """Say so."""
        return f"moment {self.moment}: {self.reason}, the nearest point is {100 * self.error:.1f} cm off"


@dataclass(frozen=True, slots=True)
class Retargeted:
    """A robot's motion."""

    positions: FloatArray  # (T, n) in command order; the gripper stays as at home
    wanted: FloatArray  # (T, 3) m, robot's base, where the tip was to be
    errors: FloatArray  # (T,) m
    missed: tuple[Missed, ...]


def retarget(
    human: HumanArm,
    arm: RobotArm,
    placement: Placement | None = None,
    poses: FloatArray | None = None,
    config: Config | None = None,
) -> Retargeted:
    """Return the robot's motion for a human's.

    `poses` (T, n) are what a `MatchingNetwork` makes of the human's; without, each moment is as near as can
    be to the one before. From moment to moment no joint moves faster than the robot can, so that no elbow
    flips; a moment that comes too soon is named, and so is one out of reach. ConfigError for poses of
    another shape.
    """
    config, robot = config or Config(), arm.robot
    placement = placement or shoulder_on_shoulder(human, arm)
    wanted = placement.hands(human)
    if poses is not None and poses.shape != (len(wanted), len(robot.home)):
        raise ConfigError(f"poses: expected ({len(wanted)}, {len(robot.home)}), got {poses.shape}.")
    solver, limits = ClosestJoints(arm, config.solver), Bounds(robot.lower, robot.upper)
    first = robot.home if poses is None else poses[0]
    found = [_begin(solver, wanted[0], first, limits)]
    fastest = [limits]
    for t, seconds in enumerate(np.diff(human.stamps) / NANOSECONDS, 1):
        before = found[-1].position
        within = limits.around(before, robot.velocity * seconds)
        reference = before if poses is None else before + config.follow * (poses[t] - before)
        fastest.append(within)
        found.append(solver.solve(wanted[t], reference, before, within))
    missed = [
        _missed(arm, t, solution, within, limits)
        for t, (solution, within) in enumerate(zip(found, fastest, strict=True))
        if solution.error > config.tolerance
    ]
    positions, errors = np.stack([each.position for each in found]), np.array([each.error for each in found])
    return Retargeted(positions, wanted, errors, tuple(missed))


def _begin(solver: ClosestJoints, point: FloatArray, reference: FloatArray, limits: Bounds) -> Solution:
    """Return the nearest joints to a reference from which the motion begins, sought from several starts."""
    rng = np.random.default_rng(0)
    drawn = rng.uniform(limits.lower, limits.upper, (STARTS, len(reference)))
    drawn = reference + 0.5 * (drawn - reference)
    found = [solver.solve(point, reference, start, limits) for start in (reference, *drawn)]
    exact = min(each.error for each in found) + 1e-3  # m
    near = [each for each in found if each.error <= exact]
    return min(near, key=lambda each: float(np.square(each.position - reference).sum()))


def _missed(arm: RobotArm, t: int, found: Solution, within: Bounds, limits: Bounds) -> Missed:
    """Return why a moment was missed: at a bound of its speed alone, or altogether."""
    q, slack = found.position, 1e-9
    hurried = ((q <= within.lower + slack) & (q > limits.lower + slack)) | (
        (q >= within.upper - slack) & (q < limits.upper - slack)
    )
    tip = arm.robot.chain.pose(arm.robot.tip_link, q)[:3, 3]
    return Missed(t, "too fast" if hurried.any() else "out of reach", found.error, tip)
