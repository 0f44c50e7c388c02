"""What a policy sees besides keypoints: images for a network that learns, features of one that does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.types import CameraFrame
from sinew_perception.encoders.frozen_features import Config as FrozenConfig
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.squares import square
from sinew_policies.learned.checkpoint import Sheet, load_acting, make_agent, save_acting
from sinew_policies.learned.encoding import STATE, TIP
from sinew_policies.learned.policy import ActingPolicy
from sinew_policies.learned.seeing import SeeingConfig, make_encoding

from tests.contract.observations import TASK, affordances, observe, scene

HARDWARE = load_hardware("sim_mujoco")
JOINTS = len(HARDWARE.robot.joint_names)
OWN = 2 * JOINTS + TIP
FROZEN = FrozenConfig(size=32, features=8)
SPEC = {"plugin": "sinew_policies.agents.rlpd:Rlpd", "hidden": [8, 8], "critics": 2}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def picture(seed, height=48, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def seen(cameras=("top", "wrist"), *, first=0):
    observation = observe(HARDWARE, scene(HARDWARE), next(affordances(HARDWARE)))
    frames = {name: CameraFrame(observation.stamp, picture(first + i)) for i, name in enumerate(cameras)}
    return replace(observation, frames=frames)


def encoding_of(**fields):
    return make_encoding(SeeingConfig(**{"cameras": ("top", "wrist"), "frozen": FROZEN, **fields}), HARDWARE)


def test_images_come_as_squares_of_the_size_asked_for_with_the_arms_own_numbers():
    encoding = encoding_of(kind="images", size=32)
    columns = encoding.encode(seen())
    assert {name: column.shape for name, column in columns.items()} == {
        STATE: (OWN,),
        "top": (32, 32, 3),
        "wrist": (32, 32, 3),
    }
    assert columns["top"].dtype == np.uint8
    assert (encoding.size, dict(encoding.images)) == (OWN, dict.fromkeys(("top", "wrist"), (32, 32, 3)))
    np.testing.assert_array_equal(columns["top"], square(picture(0), 32))
    np.testing.assert_allclose(columns[STATE][:JOINTS], seen().joints.position, atol=1e-6)


def test_features_are_those_of_the_frozen_network_camera_by_camera():
    encoding = encoding_of(kind="features")
    columns = encoding.encode(seen())
    assert columns.keys() == {STATE}
    assert columns[STATE].shape == (OWN + 2 * 8,) == (encoding.size,)
    expected = FrozenFeatures(FROZEN)(np.stack([picture(0), picture(1)]))
    np.testing.assert_allclose(columns[STATE][OWN:].reshape(2, 8), expected, rtol=1e-4, atol=1e-5)


def test_the_frozen_network_runs_once_for_a_frame_however_often_it_is_looked_at(monkeypatch):
    ran = []
    call = FrozenFeatures.__call__
    monkeypatch.setattr(FrozenFeatures, "__call__", lambda self, images: ran.append(1) or call(self, images))
    encoding, first, second = encoding_of(kind="features"), seen(), seen(first=10)
    once = encoding.encode(first)[STATE]
    np.testing.assert_array_equal(encoding.encode(first)[STATE], once)
    assert len(ran) == 2  # one a camera
    assert not np.array_equal(encoding.encode(second)[STATE], once)
    np.testing.assert_array_equal(encoding.encode(first)[STATE], once)


def test_the_name_tells_cameras_and_networks_apart():
    names = [
        encoding_of(kind="keypoints").name,
        encoding_of(kind="images").name,
        encoding_of(kind="images", cameras=("top",)).name,
        encoding_of(kind="features").name,
        encoding_of(kind="features", frozen=replace(FROZEN, seed=1)).name,
    ]
    assert len(set(names)) == len(names)


def test_a_camera_that_was_not_seen_is_waited_for():
    for kind in ("images", "features"):
        encoding = encoding_of(kind=kind)
        assert encoding.complete(seen())
        assert not encoding.complete(seen(("top",)))
        with pytest.raises(ValueError, match="no frame of camera 'wrist'"):
            encoding.encode(seen(("top",)))


def test_without_names_every_camera_counts():
    encoding = make_encoding(SeeingConfig(kind="images"), HARDWARE)
    assert list(encoding.images) == sorted(HARDWARE.cameras)


def test_a_camera_that_is_not_there_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"no camera 'tpo'\. Did you mean 'top'\?"):
        encoding_of(kind="images", cameras=("tpo",))


@pytest.mark.parametrize("kind", ["images", "features"])
def test_a_policy_that_sees_is_saved_and_acts_as_it_did(tmp_path, kind):
    seeing = SeeingConfig(kind=kind, cameras=("top",), size=32, frozen=FROZEN)
    encoding, robot = make_encoding(seeing, HARDWARE), HARDWARE.robot
    mean, std = torch.zeros(encoding.size), torch.ones(encoding.size)
    agent = make_agent(SPEC, encoding, mean, std, 0, "agent")
    sheet = Sheet(
        SPEC, robot.name, robot.joint_names, "push", encoding.size, encoding=encoding.name, seeing=seeing
    )
    path = tmp_path / "policy.safetensors"
    save_acting(path, sheet, agent.policy_tensors(), mean, std)
    acting = load_acting(path, HARDWARE)
    columns = {name: torch.from_numpy(column)[None] for name, column in encoding.encode(seen()).items()}
    assert torch.equal(acting.agent.act(columns, greedy=True), agent.act(columns, greedy=True))
    policy = ActingPolicy(acting, HARDWARE, greedy=True)
    assert policy.needs_frames
    policy.reset(TASK)
    blind = policy.infer(seen(()))
    np.testing.assert_array_equal(blind.position, seen().joints.position[None])  # it holds
    one, other = (policy_rows(acting, seen(first=first)) for first in (0, 10))
    assert not np.array_equal(one, other)  # it looks at the picture


def policy_rows(acting, observation):
    policy = ActingPolicy(acting, HARDWARE, greedy=True)
    policy.reset(TASK)
    return policy.infer(observation).position


def test_a_policy_with_another_frozen_network_is_refused(tmp_path):
    seeing = SeeingConfig(kind="features", cameras=("top",), frozen=FROZEN)
    encoding, robot = make_encoding(seeing, HARDWARE), HARDWARE.robot
    mean, std = torch.zeros(encoding.size), torch.ones(encoding.size)
    agent = make_agent(SPEC, encoding, mean, std, 0, "agent")
    other = replace(seeing, frozen=replace(FROZEN, seed=4))
    sheet = Sheet(
        SPEC, robot.name, robot.joint_names, "push", encoding.size, encoding=encoding.name, seeing=other
    )
    path = tmp_path / "policy.safetensors"
    save_acting(path, sheet, agent.policy_tensors(), mean, std)
    with pytest.raises(ConfigError, match="sees"):
        load_acting(path, HARDWARE)
