"""Trainings of policies that see through cameras, by images and by frozen features."""

import numpy as np
import pytest
from sinew_core.models import make_policy
from sinew_perception.encoders.frozen_features import Config as FrozenConfig
from sinew_policies.learned.seeing import SeeingConfig
from tiny_training import small

FROZEN = FrozenConfig(size=32, features=8)


def seeing(kind):
    config = SeeingConfig(kind=kind, cameras=("top",), size=32, frozen=FROZEN)
    return small(perception="camera", seeing=config, steps=6, pretrain=2, evaluate_every=100)


@pytest.mark.parametrize("kind", ["images", "features"])
def test_a_training_through_a_camera_leaves_a_policy_that_looks(open_trainer, tmp_path, kind):
    trainer = open_trainer("run", seeing(kind))
    trainer.train()
    replay = trainer.learning.replay
    assert len(replay.online) >= 6
    assert len(replay.demonstrations) > 0
    batch = replay.online.sample(np.random.default_rng(0), 4)
    if kind == "images":
        assert batch.observation["top"].shape == (4, 32, 32, 3)
        assert batch.observation["top"].std() > 1  # a picture, not a blank
    else:
        assert batch.observation.keys() == {"state"}
    policy = make_policy(str(tmp_path / "run/policy.safetensors"), trainer._rollouts.hardware, "push")
    assert policy.needs_frames


def test_the_truth_has_no_pictures():
    with pytest.raises(ValueError, match="perception: camera"):
        small(seeing=SeeingConfig(kind="images"))
