"""What a learned reward sees in pictures."""

from dataclasses import replace

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.types import CameraFrame
from sinew_perception.encoders.frozen_features import Config as FrozenConfig
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import shipped_config
from sinew_rewards.learned.features import FeatureConfig, make_features

from tests.contract.observations import observe, scene

HARDWARE = load_hardware("sim_mujoco")
FROZEN = FrozenConfig(size=32, features=8)


def picture(seed, height=48, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def seen(**pictures):
    observation = observe(HARDWARE, scene(HARDWARE), None)
    return replace(observation, frames={name: CameraFrame(1, rgb) for name, rgb in pictures.items()})


def features(*cameras):
    return make_features(FeatureConfig("pictures", cameras, FROZEN), HARDWARE)


def test_each_camera_is_embedded_in_the_order_asked_for():
    found = features("top", "wrist").of(seen(wrist=picture(1), top=picture(0)))
    alone = [features(name).of(seen(**{name: picture(i)})) for i, name in enumerate(("top", "wrist"))]
    np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-5, atol=1e-6)
    assert features("top", "wrist").names == tuple(f"{c}_{i}" for c in ("top", "wrist") for i in range(8))


def test_without_a_network_named_it_is_sinews_goal_encoder():
    look = make_features(FeatureConfig("pictures", ("top",)), HARDWARE)
    named = make_features(FeatureConfig("pictures", ("top",), shipped_config()), HARDWARE)
    assert (look.tag, look.names) == (named.tag, named.names)


def test_what_lies_beside_the_middle_square_changes_nothing():
    rgb = picture(2)
    beside = rgb.copy()
    beside[:, :8] = beside[:, -8:] = 0
    inside = rgb.copy()
    inside[:, 8:56] = 0
    look = features("top")
    np.testing.assert_array_equal(look.of(seen(top=rgb)), look.of(seen(top=beside)))
    assert np.abs(look.of(seen(top=rgb)) - look.of(seen(top=inside))).max() > 0.01


def test_a_square_picture_of_the_networks_size_enters_as_it_is():
    rgb = picture(3, 32, 32)
    expected = FrozenFeatures(FROZEN)(rgb[None])[0]
    np.testing.assert_allclose(features("top").of(seen(top=rgb)), expected, rtol=1e-5, atol=1e-6)


def test_nothing_is_said_before_every_camera_was_seen():
    assert features("top", "wrist").of(seen(top=picture(0))) is None


def test_an_unknown_camera_is_named():
    with pytest.raises(ConfigError, match=r"'tip'.*has none.*top"):
        features("tip")
