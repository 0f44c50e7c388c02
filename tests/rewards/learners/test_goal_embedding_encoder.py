import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sinew_rewards.report.verbs.encoder as verb
import torch
from safetensors.numpy import load_file, save_file
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray, ImageArray
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import SHIPPED, SIZE, Config, GoalEncoder, shipped_config
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.learners.goal_encoder_training import (
    TrainingConfig,
    as_pixels,
    time_order,
    train_encoder,
)

USUAL = Config()
SMALL = Config(features=4, width=4, hidden=8)
QUICK = TrainingConfig(SMALL, steps=60, batch=8, rate=4e-3)


def video(seed: int, success: bool | None = True, size: int = SIZE) -> Trajectory:
    """Return pictures of a bright square that comes down to the middle, on a background of its own."""
    rng = np.random.default_rng(seed)
    pictures = np.full((24, size, size, 3), rng.integers(40, 80), np.uint8)
    across = size // 2 - 8 + int(rng.integers(-3, 4))
    for row, picture in enumerate(pictures):
        picture[row * size // 48 : row * size // 48 + 16, across : across + 16] = 220
    stamps = np.arange(len(pictures), dtype=np.int64)
    return Trajectory(f"v{seed}", stamps, np.zeros((24, 1), np.float32), success, pictures=pictures)


def written(folder: Path, config: Config = USUAL) -> Path:
    path = folder / "encoder.safetensors"
    save_file({name: tensor.numpy() for name, tensor in GoalEncoder(config).state_dict().items()}, path)
    return path


def closeness(network: GoalEncoder, pictures: ImageArray) -> FloatArray:
    with torch.inference_mode():
        return network(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1).numpy()


def test_training_orders_unseen_videos_by_time() -> None:
    network = train_encoder([[video(i) for i in range(6)]], QUICK, 0)
    order = time_order(lambda pictures: closeness(network, pictures), [video(50), video(51)])
    assert order is not None and order > 0.9


def test_training_depends_on_its_seed_alone() -> None:
    config, videos = TrainingConfig(SMALL, steps=2, batch=4), [[video(0), video(1)]]
    first, again, other = (train_encoder(videos, config, seed).tell[1].weight for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_failures_are_not_trained_on() -> None:
    config = TrainingConfig(SMALL, steps=2, batch=4)
    alone, beside = (
        train_encoder([[video(0), *more]], config, 0).tell[1].weight
        for more in ([], [video(1, False), video(2, None)])
    )
    assert torch.equal(alone, beside)


def astray(seed: int) -> Trajectory:
    """Return a failure: the video of a success back from its middle, with its true progress."""
    way = video(seed).pictures
    assert way is not None
    back = way[12::-1]
    progress = np.linspace(0.5, 0.0, len(back))
    stamps, features = np.arange(len(back), dtype=np.int64), np.zeros((len(back), 1), np.float32)
    return Trajectory(f"a{seed}", stamps, features, False, progress=progress, pictures=back)


def test_the_true_way_is_taught_where_it_is_known() -> None:
    """Beginnings are taught to be near the goal, which no video of a success says."""
    done = [replace(video(i), progress=np.full(24, 0.9)) for i in range(4)]
    config = replace(QUICK, steps=150, weight=100.0)
    far, near = (
        np.linalg.norm(np.subtract(*closeness(network, done[0].pictures[[0, -1]])))
        for network in (train_encoder([videos], config, 0) for videos in ([video(i) for i in range(4)], done))
    )
    assert abs(near - 0.1) < 0.1 < far - 0.1


def test_failures_with_their_true_way_are_learned_from() -> None:
    videos = [[*(video(i) for i in range(3)), astray(0)]]
    alone, beside = (
        train_encoder([some], TrainingConfig(SMALL, steps=2, batch=4), 0).tell[1].weight
        for some in (videos[0][:3], videos[0])
    )
    assert not torch.equal(alone, beside)


def test_all_pictures_of_a_clip_are_moved_alike() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), np.uint8)
    pixels = as_pixels(pictures, np.zeros((4, 8), np.int64), np.random.default_rng(1))
    start, now, after, goal = pixels.chunk(4)
    assert torch.equal(start, now) and torch.equal(now, after) and torch.equal(after, goal)
    assert not torch.equal(start[0], start[1])
    assert pixels.min() >= -1 and pixels.max() <= 1


@pytest.mark.parametrize(
    "videos, sentence",
    [
        ([[video(0, False)]], "successes of at least two pictures"),
        ([[]], "successes of at least two pictures"),
        ([[video(0, size=32)]], "expected pictures"),
        ([[Trajectory("bare", np.arange(3), np.zeros((3, 1), np.float32), True)]], "bare has no pictures"),
    ],
)
def test_videos_that_cannot_be_learned_from_are_refused(
    videos: list[list[Trajectory]], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        train_encoder(videos, QUICK, 0)


def test_one_success_has_no_other_to_be_ordered_by() -> None:
    assert time_order(lambda pictures: np.zeros((len(pictures), 2), np.float32), [video(0)]) is None


def test_the_shipped_encoder_opens_as_frozen_features_and_is_small() -> None:
    features = FrozenFeatures(shipped_config())
    found = features(np.zeros((2, 120, 160, 3), np.uint8))
    assert found.shape == (2, USUAL.features) and np.isfinite(found).all()
    assert SHIPPED.stat().st_size < 1_000_000


def test_the_shipped_encoder_is_the_one_that_its_json_is_about() -> None:
    facts = json.loads(SHIPPED.with_suffix(".json").read_text())
    assert facts["tag"] == FrozenFeatures(shipped_config()).tag
    assert min(facts["time_order_held_out"].values()) > 0.5


def test_pixels_enter_as_in_training(tmp_path: Path) -> None:
    path = written(tmp_path)
    network = GoalEncoder(USUAL)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in load_file(path).items()})
    pictures = np.random.default_rng(0).integers(0, 255, (2, SIZE, SIZE, 3), np.uint8)
    assert np.allclose(
        FrozenFeatures(shipped_config(path))(pictures), closeness(network, pictures), atol=1e-5
    )


def test_a_missing_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.safetensors"):
        FrozenFeatures(shipped_config(tmp_path / "gone.safetensors"))


def test_an_encoder_of_another_shape_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.safetensors.*of another shape"):
        FrozenFeatures(shipped_config(written(tmp_path, Config(features=8))))


def test_a_damaged_encoder_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ConfigError, match=r"encoder\.safetensors.*cannot be read"):
        FrozenFeatures(shipped_config(path))


def test_pictures_of_another_size_are_refused_by_the_network() -> None:
    with pytest.raises(ValueError, match=r"expected pictures \(b, 3, 64, 64\)"):
        GoalEncoder(SMALL)(torch.zeros(1, 3, 32, 32))


def test_the_command_writes_weights_and_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(task: str, count: int, seed: int, *, size: int) -> tuple[Trajectory, ...]:
        return tuple(video(seed + i, size=size) for i in range(count))

    monkeypatch.setattr(verb, "simulated_trajectories", made)
    out = tmp_path / "made.safetensors"
    options = [
        "--task",
        "push",
        "--episodes",
        "3",
        "--held-out",
        "2",
        "--steps",
        "2",
        "--batch",
        "2",
        "--json",
    ]
    assert verb.main(["--out", str(out), *options]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == json.loads(out.with_suffix(".json").read_text())
    assert facts["tasks"] == ["push"] and facts["training"]["steps"] == 2
    assert facts["tag"] == FrozenFeatures(shipped_config(out)).tag


def test_the_command_refuses_another_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ends in .safetensors"):
        verb.main(["--out", str(tmp_path / "made.pt")])
