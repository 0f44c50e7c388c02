"""What every policy keeps to, by being a module of sinew_policies."""

import numpy as np
import pytest
from sinew_core.arbiter import chunk_fault
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build, plugin_spec, short_names
from sinew_core.protocols import Policy

from tests.contract.observations import TASK, affordances, episode, observe, scene

NAMES = short_names("sinew_policies")


@pytest.fixture(params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


def make(name: str, hardware: Hardware) -> Policy:
    context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": TASK.name}
    policy = build(plugin_spec(name, "sinew_policies", "policy"), Policy, name, **context)
    policy.reset(TASK)
    return policy


def test_the_policies_are_found() -> None:
    assert {"hold", "reach", "affordance_follower"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_chunks_answer_their_observation(name: str, hardware: Hardware) -> None:
    policy = make(name, hardware)
    for affordance in affordances(hardware):
        policy.reset(TASK)
        for observation in episode(hardware, affordance, 12):
            chunk = policy.infer(observation)
            assert chunk.stamp == observation.stamp
            assert chunk.dt == hardware.config.control_period
            assert chunk_fault(chunk, len(hardware.robot.joint_names)) is None


@pytest.mark.parametrize("name", NAMES)
def test_targets_stay_inside_the_joint_limits(name: str, hardware: Hardware) -> None:
    policy, robot = make(name, hardware), hardware.robot
    for observation in episode(hardware, next(affordances(hardware)), 40):
        position = policy.infer(observation).position
        assert (position >= robot.lower - 1e-9).all()
        assert (position <= robot.upper + 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_without_an_affordance_the_arm_holds(name: str, hardware: Hardware) -> None:
    policy = make(name, hardware)
    for step, keypoints in enumerate([{}, scene(hardware), {}]):
        chunk = policy.infer(observe(hardware, keypoints, None, step))
        np.testing.assert_allclose(chunk.position[-1], hardware.robot.home, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_ever_seen_is_survived(name: str, hardware: Hardware) -> None:
    for affordance in affordances(hardware):
        policy = make(name, hardware)
        for step in range(60):
            chunk = policy.infer(observe(hardware, {}, affordance, step))
            assert np.isfinite(chunk.position).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_episode_after_reset_equals_the_first(name: str, hardware: Hardware) -> None:
    policy = make(name, hardware)
    affordance = next(affordances(hardware))
    first = [policy.infer(o).position for o in episode(hardware, affordance, 20)]
    policy.reset(TASK)
    second = [policy.infer(o).position for o in episode(hardware, affordance, 20)]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_observations_are_left_as_they_were(name: str, hardware: Hardware) -> None:
    policy = make(name, hardware)
    affordance = next(affordances(hardware))
    observation = observe(hardware, scene(hardware), affordance)
    before = observation.joints.position.copy(), affordance.waypoints.copy()
    chunk = policy.infer(observation)
    chunk.position[:] = 7.0
    np.testing.assert_array_equal(before[0], observation.joints.position)
    np.testing.assert_array_equal(before[1], affordance.waypoints)
    assert np.abs(policy.infer(observe(hardware, scene(hardware), affordance, 1)).position).max() < 7.0
