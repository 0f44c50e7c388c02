"""Frozen image features: a network that never learns, run once when an image enters replay.

Three sources: a timm model by name, any torch module by `plugin`, both with weights from a local
safetensors file, or an own small network whose weights come from a seed. Nothing is downloaded or unpickled.
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sinew_core.errors import ConfigError
from sinew_core.plugins import build
from torch import Tensor, nn
from torch.nn import functional

AT_ONCE = 64  # images a pass
GRID = 4  # rows and columns of places that the own network tells apart
LEAST = 32  # px; the own network's smallest image
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclass(frozen=True, slots=True)
class Config:
    """Which network; without `timm` and `plugin` the own one."""

    timm: str = ""  # a model's name there, e.g. resnet18
    plugin: str = ""  # "module:Class" of a torch.nn.Module, images (b, 3, size, size) to (b, f)
    options: Mapping[str, Any] = field(default_factory=dict)  # for timm.create_model; the plugin's Config
    weights: Path | None = None  # .safetensors
    size: int = 128  # px; images are resized to size x size
    mean: tuple[float, float, float] | None = None  # of red, green, blue in [0, 1]; None: what timm says,
    std: tuple[float, float, float] | None = None  # ImageNet's elsewhere
    features: int = 256  # of the own network
    seed: int = 0  # of the own network

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.timm and self.plugin:
            raise ValueError(f"expected timm or plugin, got both: '{self.timm}' and '{self.plugin}'.")
        foreign = self.timm or self.plugin
        if foreign and self.weights is None:
            raise ValueError(f"weights: '{foreign}' needs a local .safetensors file; nothing is downloaded.")
        if not foreign and (self.weights is not None or self.options):
            raise ValueError("weights and options belong to a timm model or a plugin; name one of them.")
        if not foreign and (self.size < LEAST or not 1 <= self.features <= 64 * GRID * GRID):
            raise ValueError(
                f"the own network wants size >= {LEAST} and features from 1 to {64 * GRID * GRID}, got "
                f"{self.size} and {self.features}."
            )
        if self.weights is not None and self.weights.suffix != ".safetensors":
            kind = "would be unpickled" if self.weights.suffix in PICKLED else "is of an unknown kind"
            raise ValueError(
                f"weights: {self.weights} {kind}; expected a .safetensors file "
                "(convert once, where you trust the file: safetensors.torch.save_file)."
            )
        if self.size < 1 or not all(value > 0 for value in self.std or ()):
            raise ValueError(f"expected size >= 1 and positive std, got {self.size} and {self.std}.")


class FrozenFeatures:
    """Images (b, h, w, 3) uint8 to features (b, features) float32; the same in every process of a machine.

    `tag` names the network and its weights: replay refuses features of another one by it.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._network = _make_network(config).eval().requires_grad_(False)
        own = getattr(self._network, "pretrained_cfg", {})
        self._mean = torch.tensor(config.mean or own.get("mean", MEAN))
        self._std = torch.tensor(config.std or own.get("std", STD))
        self.size = config.size  # px; an image of this edge need not be resized
        self.tag = f"{_name(config)}@{config.size}#{self._digest()}"
        self.features = self._probe()

    def __call__(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the features of images; ValueError for another shape or type."""
        if images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape or images.dtype != np.uint8:
            raise ValueError(
                f"frozen features: expected images (b, h, w, 3) uint8, got {images.shape} {images.dtype}."
            )
        parts = [self._forward(images[i : i + AT_ONCE]) for i in range(0, len(images), AT_ONCE)]
        return np.concatenate([part.numpy() for part in parts])

    def _probe(self) -> int:
        """Return the features' length, by the answer to a black image."""
        size = self._config.size
        try:
            return self._forward(np.zeros((1, size, size, 3), np.uint8)).shape[1]
        except (RuntimeError, ValueError, AssertionError) as error:
            raise ConfigError(
                f"{_name(self._config)}: does not run on images of {size} px: {error}"
            ) from error

    def _digest(self) -> str:
        """Return a digest of the weights and of how pixels enter."""
        digest = hashlib.sha256(self._mean.numpy().tobytes() + self._std.numpy().tobytes())
        for name, tensor in sorted(self._network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()[:12]

    def _forward(self, images: npt.NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(np.array(images)).float() / 255.0
        x = ((pixels - self._mean) / self._std).permute(0, 3, 1, 2)
        if x.shape[2:] != (self._config.size, self._config.size):
            x = functional.interpolate(x, (self._config.size,) * 2, mode="bilinear", antialias=True)
        with torch.inference_mode():
            found = self._network(x)
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(images):
            given = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ConfigError(f"{_name(self._config)}: expected features (b, f), the network gives {given}.")
        return found.float()


class RandomNetwork(nn.Module):
    """Three convolutions, a grid of places, one linear layer; orthogonal weights from a seed.

    Random filters keep what differs between pictures apart (Jarrett et al. 2009; Saxe et al. 2011), and
    orthogonal ones keep its size.
    """

    def __init__(self, features: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 32, 8, 4, bias=False), nn.ReLU()),
            *(nn.Conv2d(32, 64, 3, 2, bias=False), nn.ReLU()),
            *(nn.Conv2d(64, 64, 3, 1, padding=1, bias=False), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(GRID), nn.Flatten()),
        )
        self.leave = nn.Linear(64 * GRID * GRID, features, bias=False)
        with _one_thread():  # with another number of threads the last digits would differ, and so the tag
            for weight in self.parameters():
                nn.init.orthogonal_(weight, math.sqrt(2.0), generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, features)."""
        features: Tensor = self.leave(self.layers(images))
        return features


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _make_network(config: Config) -> nn.Module:
    if config.timm:
        return _timm_network(config)
    if config.plugin:
        network = build({"plugin": config.plugin, **config.options}, nn.Module, "frozen features")
        _load(network, config, heads=())
        return network
    return RandomNetwork(config.features, config.seed)


def _timm_network(config: Config) -> nn.Module:
    """Return the model without its classifier, which its file may well hold."""
    try:
        timm = importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise ConfigError(f"frozen features: timm: {config.timm} needs `pip install timm`.") from error
    try:
        network: nn.Module = timm.create_model(config.timm, pretrained=False, num_classes=0, **config.options)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"frozen features: timm: {config.timm} with {dict(config.options)}: {error}"
        ) from error
    head = getattr(network, "pretrained_cfg", {}).get("classifier") or ()
    _load(network, config, heads=(head,) if isinstance(head, str) else tuple(head))
    return network


def _load(network: nn.Module, config: Config, heads: tuple[str, ...]) -> None:
    """Load the weights; the layers `heads` may be in the file without being in the network."""
    assert config.weights is not None
    try:
        given = load_file(config.weights)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{config.weights}: cannot be read as safetensors: {error}") from error
    expected = network.state_dict()
    missing = sorted(expected.keys() - given.keys())
    prefixes = tuple(f"{head}." for head in heads)
    extra = sorted(name for name in given.keys() - expected.keys() if not name.startswith(prefixes))
    other = [
        f"{name} {tuple(given[name].shape)} for {tuple(expected[name].shape)}"
        for name in sorted(expected.keys() & given.keys())
        if given[name].shape != expected[name].shape
    ]
    if missing or extra or other:
        raise ConfigError(
            f"{config.weights}: not the weights of {_name(config)}: missing {missing[:5]}, not expected "
            f"{extra[:5]}, of another shape {other[:5]}."
        )
    network.load_state_dict({name: given[name] for name in expected})


def _name(config: Config) -> str:
    return f"timm:{config.timm}" if config.timm else config.plugin or "random"
