"""The way home of an arm that stands somewhere among things: straight up first, then joint by joint."""

from __future__ import annotations

import numpy as np

from sinew_core.robot import Robot
from sinew_core.types import ActionChunk, FloatArray, JointState

HEIGHT = 0.10  # m, of the tip, from which on nothing on the table is in the way
CLIMB = 0.15  # m/s
PACE = 0.4  # of the joints' velocity limits
HELD = (0.12, 0.62)  # apertures between which something is in the gripper: it is let go of first
RELEASE = 12  # control periods that letting go is given
SETTLE = 8  # control periods at home
NEAR = 0.06  # rad or m, of every joint
STEP = 1e-5  # rad or m, for derivatives
DAMPING = 1e-4  # m^2, of the inverse: keeps joints slow near a singular pose


def way_home(robot: Robot, joints: JointState, dt: float) -> ActionChunk:
    """Return the rows (h, n), dt s apart, that bring the arm home from where it stands, the gripper last."""
    here = joints.position.copy()
    release: list[FloatArray] = []
    if HELD[0] < robot.aperture(here) < HELD[1]:
        here[robot.gripper_index] = robot.home[robot.gripper_index]
        release = [here.copy() for _ in range(RELEASE)]
    climb = _climb(robot, here, dt)
    start = climb[-1] if climb else here
    steps = max(1, int(np.ceil(np.max(np.abs(robot.home - start) / (PACE * robot.velocity)) / dt)))
    shares = (1 - np.cos(np.pi * np.arange(1, steps + 1) / steps)) / 2
    swing = [start + share * (robot.home - start) for share in shares]
    rows = [*release, *climb, *swing, *([robot.home.copy()] * SETTLE)]
    return ActionChunk(joints.stamp, dt, np.array(rows))


def is_home(robot: Robot, joints: JointState) -> bool:
    """Tell whether the arm stands at home, within what servos leave open."""
    return bool(np.all(np.abs(joints.position - robot.home) < NEAR))


def _climb(robot: Robot, start: FloatArray, dt: float) -> list[FloatArray]:
    """Return rows (n,) that bring the tip straight up to HEIGHT, as far as the joints allow."""
    position = start.copy()
    rows: list[FloatArray] = []
    goal = np.array(robot.chain.point(robot.tip_link, position))
    most = 0.5 * robot.velocity * dt
    while goal[2] < HEIGHT and len(rows) * CLIMB * dt < 2 * HEIGHT:
        goal[2] += CLIMB * dt
        J = _jacobian(robot, position)
        error = goal - robot.chain.point(robot.tip_link, position)
        change = J.T @ np.linalg.solve(J @ J.T + DAMPING * np.eye(3), error)
        position = np.clip(position + np.clip(change, -most, most), robot.lower, robot.upper)
        rows.append(position.copy())
    return rows


def _jacobian(robot: Robot, position: FloatArray) -> FloatArray:
    """Return the derivative (3, n) of the tip's place by the joints; the gripper's column is zero."""
    J = np.zeros((3, len(position)))
    here = np.array(robot.chain.point(robot.tip_link, position))
    for i in range(len(position)):
        if i != robot.gripper_index:
            nudged = position.copy()
            nudged[i] += STEP
            J[:, i] = (np.array(robot.chain.point(robot.tip_link, nudged)) - here) / STEP
    return J
