"""Taking something out of a bowl: held nearer to its top, and the bowl itself is no obstacle beside it."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_core.types import Keypoint
from sinew_policies.grasping import Grasp, inside, plan_grasp
from sinew_policies.inverse_kinematics import TipSolver, TipSolverConfig
from sinew_policies.jaw_geometry import measure_jaws

ROBOT = load_hardware("sim_mujoco_fr3").robot
CUBE = np.array([0.028, 0.028, 0.028])


def cube(bottom: float) -> Keypoint:
    return Keypoint(np.array([0.5, 0.0, bottom + 0.014]), yaw=0.2, extent=CUBE)


BOWL = Keypoint(np.array([0.505, 0.003, 0.014]), extent=np.array([0.1, 0.1, 0.028]))


def grasp(item: Keypoint, *others: Keypoint) -> Grasp:
    solver, jaws = TipSolver(ROBOT, TipSolverConfig()), measure_jaws(ROBOT)
    return plan_grasp(item, others, solver, jaws, ROBOT.home, 0.0, 0.012, 0.012)


def test_inside_means_over_it_and_below_its_rim() -> None:
    assert inside(cube(0.004), BOWL)
    assert not inside(cube(0.028), BOWL)
    aside = Keypoint(np.add(cube(0.0).position, [0.09, 0.0, 0.0]), extent=CUBE)
    assert not inside(aside, BOWL)
    assert not inside(cube(0.028), cube(0.0))  # one stands on the other


def test_what_stands_in_a_bowl_is_held_higher_than_on_the_table() -> None:
    free, held = grasp(cube(0.004)), grasp(cube(0.004), BOWL)
    assert held.centre[2] > free.centre[2] + 0.005
    assert held.centre[2] < cube(0.004).position[2] + 0.014  # below its top
    assert held.above > free.above
