"""A trained classifier: its weights, all that is needed to use and to judge them, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_core.types import CameraFrame, FloatArray, ImageArray

from sinew_rewards.classifier.calibration import Calibration
from sinew_rewards.classifier.network import Sizes, SuccessNetwork, as_input
from sinew_rewards.classifier.pictures import PictureSpec, pictures_of
from sinew_rewards.files import read_arrays, read_json, sha256_of, write_json

FORMAT = "sinew-success-classifier/1"
MADE_BY = "`sinew classifier train`"
BATCH = 64
DIMMED = 0.5  # of the darkest picture's light, below which a picture is unlike all that was learnt from


@dataclass(frozen=True, slots=True)
class Look:
    """How one camera's pictures looked in training; 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    darkest: float  # mean light of the darkest picture
    brightest: float


@dataclass(frozen=True, slots=True)
class ClassifierFacts:
    """The JSON beside the weights."""

    robot: str
    task: str
    spec: PictureSpec
    sizes: Sizes
    looks: tuple[Look, ...]  # one a camera
    calibration: Calibration
    threshold: float
    weights_sha256: str
    split: Mapping[str, tuple[str, ...]]  # names of the episodes of each part
    provenance: Mapping[str, Any] = field(default_factory=dict)


class Scorer:
    """Gives probabilities of success; deterministic."""

    def __init__(self, network: SuccessNetwork, facts: ClassifierFacts) -> None:
        self.network, self.facts = network.eval(), facts

    def logits(self, pictures: ImageArray) -> FloatArray:
        """Return logits (n,) of pictures (n, cameras, size, size, 3)."""
        return logits_of(self.network, pictures)

    def probabilities(self, pictures: ImageArray) -> FloatArray:
        """Return calibrated probabilities (n,) of pictures (n, cameras, size, size, 3)."""
        return self.facts.calibration.probabilities(self.logits(pictures))

    def unlike(self, pictures: ImageArray) -> list[str]:
        """Return the cameras whose picture, of one moment, is darker or brighter than training knew.

        Half the light of the darkest picture still counts as known, or half the missing light of the
        brightest one.
        """
        light = pictures.reshape(len(pictures), -1).mean(1) / 255.0
        return [
            name
            for name, look, value in zip(self.facts.spec.cameras, self.facts.looks, light, strict=True)
            if value < DIMMED * look.darkest or 1 - value < DIMMED * (1 - look.brightest)
        ]

    def see(self, frames: Mapping[str, CameraFrame]) -> ImageArray:
        """Return an observation's pictures (cameras, size, size, 3); every camera must be there."""
        return pictures_of(frames, self.facts.spec)


@torch.inference_mode()
def logits_of(network: SuccessNetwork, pictures: ImageArray) -> FloatArray:
    """Return logits (n,) of pictures (n, cameras, size, size, 3)."""
    parts = [
        network(as_input(torch.from_numpy(np.array(pictures[i : i + BATCH]))))
        for i in range(0, len(pictures), BATCH)
    ]
    return torch.cat(parts).double().numpy() if parts else np.zeros(0)


def build_network(sizes: Sizes, looks: Sequence[Look]) -> SuccessNetwork:
    """Return a network that knows how its cameras' pictures look."""
    network = SuccessNetwork(sizes)
    network.mean = torch.tensor([look.mean for look in looks])
    network.std = torch.tensor([look.std for look in looks])
    return network


def looks_of(pictures: Sequence[ImageArray]) -> tuple[Look, ...]:
    """Return how each camera's pictures look, over episodes of pictures (n, cameras, size, size, 3)."""
    sums = np.zeros((2, pictures[0].shape[1], 3))
    light = []
    for episode in pictures:
        values = np.asarray(episode, np.float32) / 255.0
        means = values.mean((2, 3))  # (n, cameras, 3)
        sums += np.stack([means.sum(0), np.square(values).mean((2, 3)).sum(0)])
        light.append(means.mean(-1))
    every = np.concatenate(light)  # (n, cameras)
    mean, square = sums / len(every)
    std = np.sqrt(np.maximum(square - mean**2, 1e-4))
    return tuple(
        Look(_triple(mean[i]), _triple(std[i]), float(every[:, i].min()), float(every[:, i].max()))
        for i in range(len(mean))
    )


def _triple(values: FloatArray) -> tuple[float, float, float]:
    red, green, blue = (float(f"{value:.6g}") for value in values)
    return red, green, blue


def facts_path(weights: Path) -> Path:
    """Return the JSON beside a weights file."""
    return weights.with_suffix(".json")


def save_weights(path: Path, network: SuccessNetwork) -> str:
    """Write a network's weights; return their SHA-256."""
    write_whole(path, save({key: value.contiguous() for key, value in network.state_dict().items()}))
    return sha256_of(path)


def save_facts(path: Path, facts: ClassifierFacts) -> None:
    """Write the JSON beside a weights file."""
    write_json(facts_path(path), {"format": FORMAT, **to_mapping(facts)})


def load_scorer(path: Path) -> Scorer:
    """Return the classifier of a weights file; ConfigError if missing, damaged or of another version."""
    facts = load_facts(path)
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; {MADE_BY} makes one.")
    found = sha256_of(path)
    if found != facts.weights_sha256:
        raise ConfigError(
            f"{path}: its SHA-256 is {found[:12]}..., but {facts_path(path).name} is about "
            f"{facts.weights_sha256[:12]}...: the two files do not belong together."
        )
    arrays, _ = read_arrays(path, MADE_BY)
    network = build_network(facts.sizes, facts.looks)
    try:
        network.load_state_dict({key: torch.from_numpy(value) for key, value in arrays.items()})
    except RuntimeError as error:
        raise ConfigError(f"{path}: does not fit the network of {facts_path(path).name}: {error}") from error
    return Scorer(network, facts)


def load_facts(path: Path) -> ClassifierFacts:
    """Return the facts beside a weights file; ConfigError as above."""
    beside = facts_path(path)
    data = read_json(beside, MADE_BY)
    made = data.pop("format", None)
    if made != FORMAT:
        raise ConfigError(
            f"{beside}: is of version {made!r}, this Sinew reads '{FORMAT}'; train it again with {MADE_BY}."
        )
    facts = from_mapping(ClassifierFacts, data, str(beside))
    cameras = len(facts.spec.views)
    if not cameras == len(facts.looks) == facts.sizes.cameras or facts.spec.size != facts.sizes.size:
        raise ConfigError(
            f"{beside}: spec, looks and sizes do not agree on {cameras} cameras and their size."
        )
    return facts
