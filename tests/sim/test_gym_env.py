"""The gymnasium environment: gymnasium's own checker, the documented layouts, safety in the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import sinew_sim.gym_env
from gymnasium.utils.env_checker import check_env
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_sim.gym_env import SinewEnv
from sinew_sim.gym_ids import HARDWARE, TASKS
from sinew_sim.gym_observations import KEYPOINT_SLOT, STATE_SLOT

N = 6  # joints of the SO-101

Make = Callable[..., SinewEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[SinewEnv] = []

    def making(**options: Any) -> SinewEnv:
        made.append(SinewEnv(**options))
        return made[-1]

    yield making
    for env in made:
        env.close()


@pytest.mark.filterwarnings("ignore:.*Box observation space:UserWarning")
@pytest.mark.parametrize("observation", ["state", "image", "keypoints"])
@pytest.mark.parametrize("hardware", ["SO101-MuJoCo", "SO101-PyBullet"])
def test_gymnasiums_checker_is_content(hardware: str, observation: str) -> None:
    env = gymnasium.make(
        f"Sinew/PickPlace-{hardware}-v0", observation=observation, image_size=48, render_mode="rgb_array"
    )
    check_env(env.unwrapped)
    env.close()


def test_every_task_and_station_has_an_id() -> None:
    assert sinew_sim.gym_env.register is not None
    for task in TASKS:
        for hardware in HARDWARE:
            assert f"Sinew/{task}-{hardware}-v0" in gymnasium.registry


def test_gymnasium_finds_an_environment_by_module_and_id() -> None:
    env = gymnasium.make("sinew_sim.gym_env:Sinew/Stack-FR3-MuJoCo-v0")
    assert env.observation_space.contains(env.reset(seed=0)[0])
    env.close()


def test_a_seed_is_the_stations_seed(make: Make) -> None:
    env = make(task="stack")
    _, info = env.reset(seed=7)
    assert info["seed"] == 7
    station = load_hardware("sim_mujoco").open_station("stack")
    assert station.world is not None
    assert info["instruction"] == station.world.reset(7).instruction
    station.close()


def test_the_same_actions_give_the_same_observations(make: Make) -> None:
    env, other = make(), make()
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (15, N)).astype(np.float32)
    other.reset(seed=99)
    for one in (env, other):
        one.reset(seed=4)
    for action in actions:
        a, b = env.step(action), other.step(action)
        np.testing.assert_array_equal(a[0], b[0])
        assert a[1:4] == b[1:4]


def test_state_slots_hold_the_moved_object_and_the_target(make: Make) -> None:
    env = make()
    values, _ = env.reset(seed=0, options={"instruction": "put the red cube in the blue bowl"})
    state = env.station.world.state()  # type: ignore[union-attr]
    first = 2 * N + 4
    for i, name in enumerate(("red cube", "blue bowl")):
        slot = values[first + i * STATE_SLOT : first + (i + 1) * STATE_SLOT]
        assert slot[0] == 1.0
        np.testing.assert_allclose(slot[1:4], state.objects[name].position, atol=1e-6)


def test_a_task_without_a_target_leaves_its_slot_empty(make: Make) -> None:
    values, _ = make(task="reach").reset(seed=0)
    first = 2 * N + 4
    assert values[first] == 1.0
    assert not values[first + STATE_SLOT : first + 2 * STATE_SLOT].any()


def test_keypoint_slots_are_near_the_truth(make: Make) -> None:
    env = make(observation="keypoints")
    values, _ = env.reset(seed=0, options={"instruction": "put the red cube in the blue bowl"})
    state = env.station.world.state()  # type: ignore[union-attr]
    for i, name in enumerate(("red cube", "blue bowl")):
        slot = values[2 * N + i * KEYPOINT_SLOT :][:KEYPOINT_SLOT]
        assert slot[0] > 0
        np.testing.assert_allclose(slot[1:4], state.objects[name].position, atol=0.015)


def test_no_action_makes_the_arm_jump(make: Make) -> None:
    env = make(action="absolute")
    env.reset(seed=0)
    robot = load_hardware("sim_mujoco").robot
    last = robot.home
    for _ in range(10):
        *_, info = env.step(np.ones(N, dtype=np.float32))
        assert (np.abs(info["executed"] - last) <= robot.velocity * 0.05 + 1e-9).all()
        assert info["reasons"]
        last = info["executed"]


def test_no_delta_means_no_motion(make: Make) -> None:
    env = make()
    env.reset(seed=0)
    for _ in range(5):
        *_, info = env.step(np.zeros(N, dtype=np.float32))
    np.testing.assert_allclose(info["executed"], load_hardware("sim_mujoco").robot.home, atol=1e-9)
    assert info["reasons"] == ()


def test_a_nan_action_is_refused(make: Make) -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="non-finite"):
        env.step(np.full(N, np.nan, dtype=np.float32))


def test_success_ends_the_episode_and_pays(make: Make) -> None:
    env = make()
    env.reset(seed=0)
    world: Any = env.station.world
    still = np.zeros(N, dtype=np.float32)
    assert env.step(still)[1:3] == (0.0, False)
    world.place(world.scene.moved, world.state().objects[world.scene.target].position)
    for _ in range(10):
        _, reward, terminated, truncated, info = env.step(still)
        if terminated:
            break
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)


def test_an_episode_is_cut_off_after_the_tasks_steps(make: Make) -> None:
    env = make(task="reach")
    env.reset(seed=0)
    ends = [env.step(np.zeros(N, dtype=np.float32))[3] for _ in range(200)]
    assert ends.index(True) == 199


def test_a_reward_model_can_pay_instead(make: Make) -> None:
    env = make(task="reach", reward="goal_distance")
    env.reset(seed=0)
    rewards = [env.step(np.zeros(N, dtype=np.float32))[1] for _ in range(3)]
    assert all(np.isfinite(rewards))
    assert any(reward != 0.0 for reward in rewards)


def test_rendering_does_not_depend_on_the_size_of_observed_images(make: Make) -> None:
    env = make(observation="image", image_size=32, render_mode="rgb_array")
    values, _ = env.reset(seed=0)
    assert values["top"].shape == values["side"].shape == (32, 32, 3)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert picture.std() > 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hardware": "sim_mujocko"}, "Did you mean 'sim_mujoco'"),
        ({"task": "pick_plase"}, "Did you mean 'pick_place'"),
        ({"observation": "stat"}, "Did you mean 'state'"),
        ({"cameras": ("tip",), "observation": "image"}, "Did you mean 'top'"),
        ({"reward": "goal_distanc"}, "Did you mean 'goal_distance'"),
        ({"reward": "goal_distance", "observation": "image"}, "full images"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_one(make: Make, options: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make(**options)


def test_an_unknown_reset_option_is_an_error(make: Make) -> None:
    with pytest.raises(ConfigError, match="instrction"):
        make().reset(options={"instrction": "x"})
