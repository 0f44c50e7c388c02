import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_policies.learned.tip_actions import CLOSE, OPEN, TipActionConfig, TipActions


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request):
    return load_hardware(request.param)


def tip(hardware, joints):
    return hardware.robot.chain.pose(hardware.robot.tip_link, joints)[:3, 3]


def wander(hardware, steps, seed=0):
    """Yield small random actions with the target that each starts from, and its rows."""
    actions, rng = TipActions(TipActionConfig(), hardware), np.random.default_rng(seed)
    sent = hardware.robot.home.copy()
    for _ in range(steps):
        action = np.append(rng.uniform(-0.4, 0.4, 4), rng.choice([OPEN, CLOSE]))
        rows = actions.rows(action, sent, sent)
        yield actions, action, sent, rows
        sent = rows[-1]


def test_what_was_sent_is_read_back_as_the_action_that_it_was(hardware):
    safety = hardware.config.safety
    lower, upper = np.array(safety.workspace_lower) + 0.03, np.array(safety.workspace_upper) - 0.03
    compared = 0
    for actions, action, sent, rows in wander(hardware, 60):
        start = tip(hardware, sent)
        near = np.hypot(*start[:2]) < 0.13  # the base, where a wrist is at its end
        if near or (start < lower).any() or (start > upper).any():
            continue
        read = actions.action(sent, rows[-1], sent)
        np.testing.assert_allclose(read[:3], action[:3], atol=0.05)
        assert read[4] == action[4] or action[4] == OPEN  # an open gripper at rest may be either
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("along", [0, 1, 2])
def test_the_same_action_is_the_same_motion_wherever_the_arm_points(along):
    hardware = load_hardware("sim_mujoco")
    robot, actions = hardware.robot, TipActions(TipActionConfig(), hardware)
    action = np.append(0.5 * np.eye(4)[along], OPEN)
    ways = []
    for pan in (-0.4, 0.0, 0.7):
        joints = robot.home.copy()
        joints[0] += pan
        first, rows = robot.chain.pose(robot.tip_link, joints), actions.rows(action, joints, joints)
        last = robot.chain.pose(robot.tip_link, rows[-1])
        ways.append(first[:3, :3].T @ (last[:3, 3] - first[:3, 3]))  # as the tip sees it
    np.testing.assert_allclose(ways, [ways[0]] * 3, atol=1e-3)
    assert np.linalg.norm(ways[0]) == pytest.approx(0.025, abs=1e-3)


def test_the_tip_stays_inside_the_workspace(hardware):
    actions, sent = TipActions(TipActionConfig(), hardware), hardware.robot.home.copy()
    for direction in ([0, 0, -1], [1, 0, 0], [0, 1, 0], [0, -1, 0]):
        for _ in range(12):
            sent = actions.rows([*direction, 0, OPEN], sent, sent)[-1]
            assert tip(hardware, sent)[2] >= hardware.config.safety.floor
            assert tip(hardware, sent)[0] <= hardware.config.safety.workspace_upper[0] + 1e-3


def test_actions_beyond_one_count_as_one(hardware):
    actions, home = TipActions(TipActionConfig(), hardware), hardware.robot.home
    one, more = (actions.rows([size, 0, 0, 0, OPEN], home, home) for size in (1.0, 9.0))
    np.testing.assert_array_equal(one, more)


def test_an_arm_that_did_not_follow_is_taken_where_it_is(hardware):
    robot = hardware.robot
    actions, far = TipActions(TipActionConfig(), hardware), robot.home.copy()
    far[0] += 0.6
    rows = actions.rows([0, 0, 0, 0, OPEN], far, robot.home)
    assert np.linalg.norm(tip(hardware, rows[-1]) - tip(hardware, robot.home)) < 0.01


def test_closing_leads_the_jaws_by_the_squeeze_and_no_more(hardware):
    robot, config = hardware.robot, TipActionConfig()
    actions, measured = TipActions(config, hardware), hardware.robot.home.copy()
    measured[robot.gripper_index] = robot.gripper_position(0.4)  # on something
    sent = measured.copy()
    sent[robot.gripper_index] = actions.gripper(CLOSE, measured)
    assert robot.aperture(sent) == pytest.approx(0.4 - config.squeeze)
    assert actions.action(measured, sent, measured)[4] == CLOSE


def test_an_action_that_does_nothing_is_refused():
    with pytest.raises(ValueError, match="periods"):
        TipActionConfig(periods=0)
    with pytest.raises(ValueError, match="reach"):
        TipActionConfig(reach=0.0)
