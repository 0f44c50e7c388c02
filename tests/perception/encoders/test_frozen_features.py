"""Frozen features: deterministic, local, never unpickled."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_perception.encoders.frozen_features import MEAN, STD, Config, FrozenFeatures
from torch import Tensor, nn

torch.set_num_threads(1)

OWN = Config(size=32, features=16)
DIGEST = """
import hashlib, numpy as np, torch
from sinew_perception.encoders.frozen_features import Config, FrozenFeatures
torch.set_num_threads(1)
features = FrozenFeatures(Config(size=32, features=16))
images = np.random.default_rng(0).integers(0, 256, (3, 40, 48, 3), dtype=np.uint8)
print(features.tag, hashlib.sha256(features(images).tobytes()).hexdigest())
"""


def images(count: int = 3) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 40, 48, 3), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class TinyConfig:
    width: int = 4


class Tiny(nn.Module):
    """A plugin: mean colours through a linear layer."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.leave = nn.Linear(3, config.width)

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.leave(pixels.mean((2, 3)))
        return found


class Maps(nn.Module):
    """A plugin that answers with feature maps."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.scale * pixels


class Picky(Maps):
    """A plugin for images of 8 px alone."""

    def forward(self, pixels: Tensor) -> Tensor:
        assert pixels.shape[2] == 8, "only 8 here"
        return self.scale * pixels[:, :, 0, 0]


class TimmModel(Tiny):
    """What timm makes: the classifier is left out of the network, not of the file."""

    pretrained_cfg = {"classifier": "fc", "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}  # noqa: RUF012 - as in timm

    def __init__(self) -> None:
        super().__init__(TinyConfig(5))


def weights(folder: Path, module: nn.Module, **more: Tensor) -> Path:
    path = folder / "w.safetensors"
    save_file({**module.state_dict(), **more}, path)
    return path


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that holds the plugins."""
    module: Any = ModuleType("feature_plugins")
    module.Tiny, module.Maps, module.Picky = Tiny, Maps, Picky
    monkeypatch.setitem(sys.modules, "feature_plugins", module)
    return "feature_plugins"


def test_the_own_network_answers_float32_of_the_length_asked_for() -> None:
    features = FrozenFeatures(OWN)
    found = features(images())
    assert found.shape == (3, features.features) == (3, 16)
    assert found.dtype == np.float32


def test_features_are_the_same_in_every_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    environment.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
    said = {
        subprocess.run(
            [sys.executable, "-c", DIGEST], capture_output=True, text=True, env=environment, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(said) == 1
    assert said.pop().startswith("random@32#")


def test_the_own_network_is_the_same_on_any_number_of_threads() -> None:
    threads, tags = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            tags.append(FrozenFeatures(Config(features=64)).tag)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert tags[0] == tags[1]


def test_the_seed_makes_another_network_and_another_tag() -> None:
    first, again, other = (
        FrozenFeatures(OWN),
        FrozenFeatures(OWN),
        FrozenFeatures(Config(size=32, features=16, seed=1)),
    )
    assert np.array_equal(first(images()), again(images()))
    assert not np.array_equal(first(images()), other(images()))
    assert first.tag == again.tag != other.tag


def test_pictures_that_differ_have_features_that_differ() -> None:
    """A cube of 6 x 6 pixels that moves by 4 is told apart from noise of one grey level."""
    frames = np.full((3, 64, 64, 3), 120, np.uint8)
    frames[:, 30:36, 20:26] = (200, 30, 30)
    frames[1] += np.random.default_rng(0).integers(0, 2, frames[1].shape, dtype=np.uint8)
    frames[2] = np.roll(frames[2], 4, axis=1)
    still, noisy, moved = FrozenFeatures(Config(size=64))(frames)
    assert np.linalg.norm(moved - still) > 5 * np.linalg.norm(noisy - still)


def test_a_batch_larger_than_one_pass_equals_single_images() -> None:
    features, many = FrozenFeatures(OWN), images(70)
    singly = np.concatenate([features(image[None]) for image in many])
    assert np.allclose(features(many), singly, atol=1e-5)


def test_nothing_learns_and_the_images_stay_as_they_were() -> None:
    given = images()
    given.setflags(write=False)
    FrozenFeatures(OWN)(given)
    assert np.array_equal(given, images())


@pytest.mark.parametrize("given", [images()[0], images().astype(np.float32), images()[..., :1], images()[:0]])
def test_other_arrays_are_named(given: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"expected images \(b, h, w, 3\) uint8, got"):
        FrozenFeatures(OWN)(given)


def test_a_plugin_runs_on_its_weights(tmp_path: Path, plugins: str) -> None:
    module = Tiny(TinyConfig(7))
    config = Config(plugin=f"{plugins}:Tiny", options={"width": 7}, weights=weights(tmp_path, module), size=8)
    features = FrozenFeatures(config)
    assert features.features == 7
    flat = np.full((1, 8, 8, 3), 51, np.uint8)  # 0.2
    pixel = (torch.full((1, 3), 0.2) - torch.tensor(MEAN)) / torch.tensor(STD)
    assert np.allclose(features(flat), module.leave(pixel).detach().numpy(), atol=1e-5)


def test_weights_of_another_network_are_named(tmp_path: Path, plugins: str) -> None:
    path = weights(tmp_path, Tiny(TinyConfig(3)))
    with pytest.raises(ConfigError, match=r"another shape \['leave.bias \(3,\) for \(4,\)'"):
        FrozenFeatures(Config(plugin=f"{plugins}:Tiny", weights=path))
    path = weights(tmp_path, nn.Linear(3, 4))
    with pytest.raises(ConfigError, match=r"missing \['leave.bias', .* not expected \['bias', 'weight'\]"):
        FrozenFeatures(Config(plugin=f"{plugins}:Tiny", weights=path))


def test_a_network_that_gives_no_vectors_is_named(tmp_path: Path, plugins: str) -> None:
    path = weights(tmp_path, Maps())
    with pytest.raises(
        ConfigError, match=r"feature_plugins:Maps: expected features \(b, f\), .* \(1, 3, 16, 16\)"
    ):
        FrozenFeatures(Config(plugin=f"{plugins}:Maps", weights=path, size=16))


def test_an_unknown_class_gets_a_suggestion(tmp_path: Path, plugins: str) -> None:
    path = weights(tmp_path, Maps())
    with pytest.raises(ConfigError, match="no class 'Tinny'. Did you mean 'Tiny'"):
        FrozenFeatures(Config(plugin=f"{plugins}:Tinny", weights=path))


def test_a_class_that_is_no_module_is_refused(tmp_path: Path) -> None:
    path = weights(tmp_path, Maps())
    with pytest.raises(ConfigError, match="is no Module"):
        FrozenFeatures(Config(plugin="collections:OrderedDict", weights=path))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".pkl", ".npz", ""])
def test_files_that_are_not_safetensors_are_refused_unopened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"resnet{suffix}"
    with pytest.raises(ConfigError, match="weights: .*resnet.*expected a .safetensors file"):
        from_mapping(Config, {"timm": "resnet18", "weights": str(path)}, "features")


def test_a_pickle_that_calls_itself_safetensors_is_not_unpickled(tmp_path: Path, plugins: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x80\x04cposix\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(ConfigError, match="cannot be read as safetensors"):
        FrozenFeatures(Config(plugin=f"{plugins}:Tiny", weights=path))
    with pytest.raises(ConfigError, match="cannot be read as safetensors"):
        FrozenFeatures(Config(plugin=f"{plugins}:Tiny", weights=tmp_path / "none.safetensors"))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"timm": "resnet18"}, "'resnet18' needs a local .safetensors file; nothing is downloaded"),
        ({"timm": "a", "plugin": "b:C", "weights": "w.safetensors"}, "got both"),
        ({"weights": "w.safetensors"}, "name one of them"),
        ({"size": 16}, "size >= 32"),
        ({"features": 0}, "features from 1"),
        ({"std": [0.2, 0.0, 0.2]}, "positive std"),
    ],
)
def test_configurations_that_make_no_sense_say_why(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        from_mapping(Config, fields, "features")


def test_timm_is_asked_for_by_name_when_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match="resnet18 needs `pip install timm`"):
        FrozenFeatures(Config(timm="resnet18", weights=weights(tmp_path, TimmModel())))


def test_a_timm_model_is_made_without_its_classifier_and_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def create_model(name: str, **options: Any) -> nn.Module:
        asked.append((name, options))
        return TimmModel()

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))  # type: ignore[arg-type]
    module = TimmModel()
    path = weights(tmp_path, module, **{"fc.weight": torch.zeros(1000, 5)})
    features = FrozenFeatures(Config(timm="tiny", options={"drop_rate": 0.0}, weights=path, size=8))
    assert asked == [("tiny", {"pretrained": False, "num_classes": 0, "drop_rate": 0.0})]
    assert features(images()).shape == (3, 5)
    assert features.tag.startswith("timm:tiny@8#")
    black = np.zeros((1, 8, 8, 3), np.uint8)
    assert np.allclose(
        features(black), module.leave(-torch.ones(1, 3)).detach().numpy()
    )  # its own mean and std
    path = weights(tmp_path, module, **{"fc_norm.weight": torch.zeros(5)})
    with pytest.raises(ConfigError, match=r"not expected \['fc_norm.weight'\]"):
        FrozenFeatures(Config(timm="tiny", options={"drop_rate": 0.0}, weights=path))


def test_a_network_that_cannot_take_images_of_that_size_is_named(tmp_path: Path, plugins: str) -> None:
    path = weights(tmp_path, Picky())
    with pytest.raises(
        ConfigError, match="feature_plugins:Picky: does not run on images of 9 px: only 8 here"
    ):
        FrozenFeatures(Config(plugin=f"{plugins}:Picky", weights=path, size=9))
