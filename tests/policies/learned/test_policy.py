"""The file of a trained policy, and the policy that it becomes: an ordinary one for the graph."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sinew_core.arbiter import chunk_fault
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.models import make_policy
from sinew_policies.learned.checkpoint import Sheet, load_acting, make_agent, save_acting
from sinew_policies.learned.encoding import KeypointEncoding

from tests.contract.observations import TASK, affordances, episode, observe, scene

HARDWARE = load_hardware("sim_mujoco")
SPEC = {"plugin": "sinew_policies.agents.rlpd:Rlpd", "hidden": [8, 8], "critics": 2}
SIZE = KeypointEncoding(HARDWARE.robot).size


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "policy.safetensors"
    mean, std = torch.zeros(SIZE), torch.ones(SIZE)
    agent = make_agent(SPEC, KeypointEncoding(HARDWARE.robot), mean, std, 3, "agent")
    robot = HARDWARE.robot
    sheet = Sheet(SPEC, robot.name, robot.joint_names, "pick_place", SIZE)
    save_acting(path, sheet, agent.policy_tensors(), mean, std)
    return path


def policy_of(path, hardware=HARDWARE):
    policy = make_policy(str(path), hardware, TASK.name)
    policy.reset(TASK)
    return policy


def test_a_trained_policy_answers_as_every_policy_does(weights):
    policy = policy_of(weights)
    for affordance in affordances(HARDWARE):
        policy.reset(TASK)
        for observation in episode(HARDWARE, affordance, 12):
            chunk = policy.infer(observation)
            assert chunk.stamp == observation.stamp
            assert chunk_fault(chunk, len(HARDWARE.robot.joint_names)) is None
            assert (chunk.position >= HARDWARE.robot.lower - 1e-9).all()
            assert (chunk.position <= HARDWARE.robot.upper + 1e-9).all()


def test_an_episode_after_reset_equals_the_first(weights):
    policy, affordance = policy_of(weights), next(affordances(HARDWARE))
    first = [policy.infer(o).position for o in episode(HARDWARE, affordance, 20)]
    policy.reset(TASK)
    second = [policy.infer(o).position for o in episode(HARDWARE, affordance, 20)]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_decision_lasts_its_control_periods_and_then_another_is_made(weights):
    policy, affordance = policy_of(weights), next(affordances(HARDWARE))
    rows = [
        len(policy.infer(observe(HARDWARE, scene(HARDWARE), affordance, step)).position) for step in range(9)
    ]
    assert rows == [4, 3, 2, 1, 4, 3, 2, 1, 4]


def test_what_stays_out_of_sight_is_looked_for_from_home_until_it_is_seen(weights):
    policy, affordance, robot = policy_of(weights), next(affordances(HARDWARE)), HARDWARE.robot
    low = observe(HARDWARE, {}, affordance, 0)
    away = robot.home.copy()
    away[0] += 0.5
    hidden = replace(low, joints=replace(low.joints, position=away))
    rows = [policy.infer(hidden).position[0] for _ in range(150)]
    np.testing.assert_array_equal(rows[10], away)  # it may come back by itself
    np.testing.assert_allclose(rows[-1], robot.home, atol=1e-6)
    assert np.abs(np.diff(rows, axis=0)).max() < 0.2
    seen = policy.infer(observe(HARDWARE, scene(HARDWARE), affordance, 151))
    assert len(seen.position) == 4
    np.testing.assert_array_equal(policy.infer(hidden).position[0], seen.position[1])  # the decision goes on


def test_it_holds_while_it_is_not_known_where_things_are(weights):
    policy, affordance = policy_of(weights), next(affordances(HARDWARE))
    for step in range(8):
        chunk = policy.infer(observe(HARDWARE, {}, affordance, step))
        np.testing.assert_array_equal(chunk.position, HARDWARE.robot.home[None])
    assert len(policy.infer(observe(HARDWARE, scene(HARDWARE), affordance, 8)).position) == 4


def test_weights_of_another_robot_are_refused_by_both_names(weights):
    with pytest.raises(ConfigError, match=r"'so101'.*'fr3"):
        policy_of(weights, load_hardware("sim_mujoco_fr3"))


def test_another_format_is_refused(weights):
    sheet = weights.with_suffix(".json")
    sheet.write_text(json.dumps(json.loads(sheet.read_text()) | {"format": 99}))
    with pytest.raises(ConfigError, match="format 99"):
        policy_of(weights)


def test_an_unknown_key_of_the_sheet_is_named(weights):
    sheet = weights.with_suffix(".json")
    sheet.write_text(json.dumps(json.loads(sheet.read_text()) | {"tsak": "push"}))
    with pytest.raises(ConfigError, match="unknown key 'tsak'"):
        policy_of(weights)


def test_a_missing_half_is_named(weights):
    weights.with_suffix(".json").unlink()
    with pytest.raises(ConfigError, match=r"policy\.json: no such file"):
        policy_of(weights)


def test_truncated_weights_are_refused(weights):
    weights.write_bytes(weights.read_bytes()[:-50])
    with pytest.raises(ConfigError, match="not the weights"):
        policy_of(weights)


def test_weights_of_another_shape_are_refused(weights):
    tensors = load_file(weights)
    name = next(name for name in tensors if name.startswith("policy."))
    save_file(tensors | {name: torch.zeros(3, 3)}, weights)
    with pytest.raises(ConfigError, match="not the weights"):
        load_acting(weights, HARDWARE)


def test_where_nothing_is_shipped_the_sentence_says_how_to_train_one():
    with pytest.raises(ConfigError, match="sinew train"):
        make_policy("learned", HARDWARE, "no_such_task")
