from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sinew_core.hardware import SafetyConfig
from sinew_core.protocols import MotionState
from sinew_core.robot import load_robot
from sinew_core.safety import FilterChain, JointLimits, TipWorkspace
from sinew_core.types import JointCommand, JointState

from tests.core.conftest import ROBOTS

DT = 0.05
ROBOT = load_robot(Path(ROBOTS / "so101"))
N = len(ROBOT.joint_names)
DIVE = np.array([0, 0.8, 0, -0.8, 0, 0])  # rad, shoulder lift and wrist flex
BOX = SafetyConfig(floor=0.02, workspace_lower=(0.0, -0.3, 0.0), workspace_upper=(0.4, 0.3, 0.3))


def state(target, velocity=None):
    target = np.asarray(target, dtype=float)
    velocity = np.zeros(N) if velocity is None else velocity
    return MotionState(JointState(0, target, np.zeros(N)), target, velocity, DT)


def drive(safety, wanted, target=None, steps=200):
    """Follow a list of wanted positions, repeating the last one; return every target sent."""
    target = ROBOT.home.copy() if target is None else target
    velocity, sent = np.zeros(N), [target]
    for i in range(steps):
        command = JointCommand(0, wanted[min(i, len(wanted) - 1)])
        position = safety.filter(command, state(target, velocity)).command.position
        velocity, target = (position - target) / DT, position
        sent.append(target)
    return np.array(sent)


positions = arrays(float, N, elements=st.floats(-10, 10))


@settings(max_examples=60, deadline=None)
@given(st.lists(positions, min_size=1, max_size=20))
def test_no_limit_is_ever_exceeded(wanted):
    sent = drive(JointLimits(ROBOT), wanted, steps=60)
    velocity = np.diff(sent, axis=0) / DT
    acceleration = np.diff(np.vstack([np.zeros(N), velocity]), axis=0) / DT
    assert (sent >= ROBOT.lower - 1e-9).all()
    assert (sent <= ROBOT.upper + 1e-9).all()
    assert (np.abs(velocity) <= ROBOT.velocity + 1e-6).all()
    assert (np.abs(acceleration) <= ROBOT.acceleration + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(arrays(float, N, elements=st.floats(0, 1)))
def test_a_constant_goal_is_reached_and_not_overshot(share):
    goal = ROBOT.lower + share * (ROBOT.upper - ROBOT.lower)
    sent = drive(JointLimits(ROBOT), [goal])
    np.testing.assert_allclose(sent[-1], goal, atol=1e-6)
    direction = np.sign(goal - sent[0])
    assert ((goal - sent) * direction >= -1e-9).all()


def test_a_command_inside_every_limit_passes_unchanged():
    command = JointCommand(7, ROBOT.home + 0.001)
    safe = JointLimits(ROBOT).filter(command, state(ROBOT.home))
    np.testing.assert_array_equal(safe.command.position, command.position)
    assert safe.reasons == ()


@pytest.mark.parametrize("limit", ["position", "velocity", "acceleration"])
def test_the_limit_that_bites_is_named_with_its_joint(limit):
    wanted = ROBOT.home.copy()
    wanted[0] = {"position": 99.0, "velocity": 1.0, "acceleration": 0.1}[limit]
    safe = JointLimits(ROBOT).filter(JointCommand(0, wanted), state(ROBOT.home))
    assert f"{limit}:shoulder_pan" in safe.reasons
    assert not any("elbow_flex" in reason for reason in safe.reasons)


def test_a_sagging_servo_does_not_move_the_target():
    sagging = MotionState(JointState(0, ROBOT.home - 0.3, np.zeros(N)), ROBOT.home, np.zeros(N), DT)
    safe = JointLimits(ROBOT).filter(JointCommand(0, ROBOT.home), sagging)
    np.testing.assert_array_equal(safe.command.position, ROBOT.home)


def tip(position):
    return ROBOT.chain.pose(ROBOT.tip_link, position)[:3, 3]


@settings(max_examples=60, deadline=None)
@given(st.lists(positions, min_size=1, max_size=20))
def test_the_tip_never_leaves_its_space(wanted):
    safety = FilterChain([JointLimits(ROBOT), TipWorkspace(ROBOT, BOX)])
    for position in drive(safety, wanted, steps=60):
        assert tip(position)[2] >= BOX.floor - 1e-6
        assert (tip(position) >= np.array(BOX.workspace_lower) - 1e-6).all()
        assert (tip(position) <= np.array(BOX.workspace_upper) + 1e-6).all()


def test_a_dive_through_the_floor_stops_above_it_and_says_so():
    dive = ROBOT.home + DIVE
    assert tip(dive)[2] < BOX.floor
    safe = TipWorkspace(ROBOT, BOX).filter(JointCommand(0, dive), state(ROBOT.home))
    assert safe.reasons == ("floor",)
    assert 0 <= tip(safe.command.position)[2] - BOX.floor < 1e-3


def test_an_arm_that_starts_outside_may_come_back_but_not_go_further():
    outside, further = ROBOT.home + DIVE, ROBOT.home + 1.1 * DIVE
    workspace = TipWorkspace(ROBOT, BOX)
    back = workspace.filter(JointCommand(0, ROBOT.home), state(outside))
    np.testing.assert_array_equal(back.command.position, ROBOT.home)
    stay = workspace.filter(JointCommand(0, further), state(outside))
    assert stay.reasons == ("floor",)
    assert tip(stay.command.position)[2] >= tip(outside)[2] - 1e-6
