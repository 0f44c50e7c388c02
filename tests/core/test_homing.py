"""The way home: up before sideways, within the joints' limits, from wherever the arm stands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.homing import HEIGHT, way_home
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointState
from sinew_policies.inverse_kinematics import TipPose, TipSolver, TipSolverConfig

DT = 0.05


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture
def robot(hardware: Hardware) -> Robot:
    return hardware.robot


@pytest.fixture
def low(hardware: Hardware) -> Callable[[float], FloatArray]:
    """Return joints with the tip 2 cm over the middle of the table, the gripper open by an aperture."""
    robot, area = hardware.robot, hardware.config.scene
    x, y = np.mean([area.lower, area.upper], axis=0)
    solution = TipSolver(robot, TipSolverConfig()).solve(
        TipPose(np.array([x, y + 0.03, 0.02]), 0.0), robot.home, 200
    )
    assert solution.error < 0.005

    def make(aperture: float) -> FloatArray:
        position = solution.position.copy()
        position[robot.gripper_index] = robot.gripper_position(aperture)
        return position

    return make


Low = Callable[[float], FloatArray]


def rows(robot: Robot, start: FloatArray) -> FloatArray:
    chunk = way_home(robot, JointState(5, start, np.zeros_like(start)), DT)
    assert (chunk.stamp, chunk.dt) == (5, DT)
    return chunk.position


def test_it_ends_at_home(robot: Robot, low: Low) -> None:
    for aperture in (0.0, 0.4, 1.0):
        assert np.array_equal(rows(robot, low(aperture))[-1], robot.home)
    assert np.array_equal(rows(robot, robot.home)[-1], robot.home)


def test_the_tip_rises_before_it_goes_sideways(robot: Robot, low: Low) -> None:
    start = low(0.0)
    before = np.array(robot.chain.point(robot.tip_link, start))
    tips = np.array([robot.chain.point(robot.tip_link, row) for row in rows(robot, start)])
    below = tips[: int(np.argmax(tips[:, 2] >= HEIGHT - 0.01))]
    assert len(below)
    assert np.linalg.norm(below[:, :2] - before[:2], axis=1).max() < 0.015
    assert (np.diff(below[:, 2]) > -1e-3).all()


def test_no_joint_goes_faster_than_it_may_or_further_than_it_can(robot: Robot, low: Low) -> None:
    start = low(0.0)
    way = np.vstack([start, rows(robot, start)])
    arm = np.arange(way.shape[1]) != robot.gripper_index
    assert (np.abs(np.diff(way, axis=0))[:, arm] <= robot.velocity[arm] * DT + 1e-9).all()
    assert (way >= robot.lower - 1e-9).all() and (way <= robot.upper + 1e-9).all()


def test_what_may_be_held_is_let_go_of_first(robot: Robot, low: Low) -> None:
    held, empty = rows(robot, low(0.4)), rows(robot, low(0.0))
    i = robot.gripper_index
    assert held[0][i] == robot.home[i]
    assert np.array_equal(np.delete(held[0], i), np.delete(low(0.4), i))
    assert empty[0][i] == pytest.approx(robot.gripper_position(0.0), abs=1e-6)
