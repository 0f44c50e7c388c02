"""Training from scratch, step by step, so that a resumed run equals an uninterrupted one."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from torch import Tensor

from sinew_perception.ground.batches import CROPS, cropped, make_batch, say_about
from sinew_perception.ground.dataset import Dataset
from sinew_perception.ground.lexicon import load_frames, load_lexicon
from sinew_perception.ground.losses import losses
from sinew_perception.ground.network import GroundNetwork, Sizes, in_channels_last
from sinew_perception.ground.sentences import Speaker

WARM_UP = 0.02  # share of the training in which the rate rises


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train; the training is over after `steps` or `minutes`, and the rate falls towards that."""

    seed: int = 0
    steps: int = 9000
    minutes: float = 80.0
    pictures: int = 32  # a step; half of that where it looks at larger parts of them
    sentences: int = 6  # a picture
    rate: float = 4e-3  # of the image encoder
    text_rate: float = 2e-3
    decay: float = 0.02
    memory: float = 0.998  # of the average of the weights, which is what is kept


@dataclass(slots=True)
class Progress:
    """How far a training is."""

    step: int = 0
    seconds: float = 0.0

    def share(self, config: TrainConfig) -> float:
        """Return how much of it is done, 0 to 1."""
        return max(self.step / config.steps, self.seconds / (60 * config.minutes))


class Trainer:
    """The network, its average and its optimiser; every step depends on its number and the seed alone."""

    def __init__(self, config: TrainConfig, data: Dataset, sizes: Sizes | None = None) -> None:
        self.config, self.progress = config, Progress()
        self._data, self._lexicon, self._frames = data, load_lexicon(), load_frames()
        torch.manual_seed(config.seed)
        self.sizes = sizes or Sizes(lexicon=self._lexicon.size)
        self.network = in_channels_last(GroundNetwork(self.sizes))
        self.average = in_channels_last(GroundNetwork(self.sizes))
        self.average.load_state_dict(self.network.state_dict())
        slow = list(self.network.sentence.parameters())
        fast = [p for name, p in self.network.named_parameters() if not name.startswith("sentence.")]
        self._optimizer = torch.optim.AdamW(
            [{"params": fast}, {"params": slow}], config.rate, (0.9, 0.98), weight_decay=config.decay
        )
        order = {id(p): name for name, p in self.network.named_parameters()}
        self._names = [order[id(p)] for p in (*fast, *slow)]  # as the optimiser counts them

    def step(self) -> dict[str, float]:
        """Take one step and return the terms of the loss."""
        started = time.perf_counter()
        config = self.config
        rng = np.random.default_rng([17, config.seed, self.progress.step])
        torch.manual_seed(int(rng.integers(2**31)))
        speaker = Speaker(rng, self._lexicon, self._frames, "train")
        size = CROPS[self.progress.step % len(CROPS)]
        count = config.pictures // (1 if size == CROPS[0] else 2)
        pictures = self._data.take(rng.integers(len(self._data), size=count))
        pictures = flipped(cropped(pictures, size, rng), rng)
        sentences = say_about(pictures, config.sentences, speaker, rng)
        batch = make_batch(pictures, sentences, rng, self._lexicon, spoil=True)
        rate = rate_share(self.progress.share(config))
        for group, peak in zip(self._optimizer.param_groups, (config.rate, config.text_rate), strict=True):
            group["lr"] = peak * rate
        self.network.train()
        terms = losses(self.network, batch)
        self._optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(terms.values())).sum())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        self._follow()
        self.progress.step += 1
        self.progress.seconds += time.perf_counter() - started
        return {name: float(term.detach()) for name, term in terms.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(self.config.memory, (1 + self.progress.step) / (10 + self.progress.step))
        for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)
        for kept, fresh in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(fresh)

    @property
    def done(self) -> bool:
        """Whether the training is over."""
        return self.progress.share(self.config) >= 1

    def save(self, path: Path) -> None:
        """Write all that is needed to go on; the file appears whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in (("network", self.network), ("average", self.average)):
            tensors |= {f"{prefix}.{k}": v.contiguous() for k, v in network.state_dict().items()}
        for i, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{k}.{self._names[i]}": v.contiguous() for k, v in state.items()}
        facts = {
            "progress": asdict(self.progress),
            "config": asdict(self.config),
            "sizes": asdict(self.sizes),
        }
        write_tensors(path, tensors, {"training": json.dumps(facts)})

    def load(self, path: Path) -> None:
        """Go on where `save` was called; raises ConfigError for a file of another training."""
        tensors, metadata = read_tensors(path)
        facts = json.loads(metadata.get("training", "{}"))
        if facts.get("config") != asdict(self.config) or facts.get("sizes") != asdict(self.sizes):
            raise ConfigError(
                f"{path}: is of another training ({facts.get('config')}), wanted {asdict(self.config)}; "
                "give the same options, or another --out."
            )
        self.progress = Progress(**facts["progress"])
        for prefix, network in (("network", self.network), ("average", self.average)):
            network.load_state_dict(_under(tensors, prefix))
        state = self._optimizer.state_dict()
        moments = {key: _under(tensors, f"optimizer.{key}") for key in ("step", "exp_avg", "exp_avg_sq")}
        state["state"] = {
            i: {key: values[name] for key, values in moments.items()}
            for i, name in enumerate(self._names)
            if name in moments["step"]
        }
        self._optimizer.load_state_dict(state)


def rate_share(share: float) -> float:
    """Return the rate as a share of its peak: a linear rise, then half a cosine down to nearly nothing."""
    if share < WARM_UP:
        return (share + 1e-4) / WARM_UP
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, share))) / 2


def flipped(pictures: Any, rng: np.random.Generator) -> Any:
    """Return the pictures, each one mirrored left to right or upside down at random."""
    for record in pictures:
        for axis in (0, 1):
            if rng.uniform() < 0.5:
                for name in ("rgb", "heights", "cover", "thing"):
                    record[name] = np.flip(record[name], axis).copy()
    return pictures


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{prefix}."): value
        for key, value in tensors.items()
        if key.startswith(f"{prefix}.")
    }


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all; ConfigError where it cannot be written."""
    write_whole(path, save(dict(tensors), dict(metadata)))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a safetensors file; raises ConfigError for what is none."""
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; `sinew ground train --out {path}` makes one."
        ) from error
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"{path}: is no safetensors file: {error}") from error


Report = Callable[[Trainer, Mapping[str, float]], None]


def train(trainer: Trainer, checkpoint: Path, every: float, report: Report) -> None:
    """Train to the end, writing a checkpoint every so many seconds, and when interrupted."""
    saved = time.perf_counter()
    try:
        while not trainer.done:
            report(trainer, trainer.step())
            if time.perf_counter() - saved > every:
                trainer.save(checkpoint)
                saved = time.perf_counter()
    finally:
        trainer.save(checkpoint)
