"""Training from scratch, step by step, so that a resumed run equals an uninterrupted one."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from torch import Tensor
from torch.nn import functional

from sinew_rewards.classifier.augment import AugmentConfig, augmented
from sinew_rewards.classifier.batches import FrameTable, balanced_loss, digest_of, validation_frames
from sinew_rewards.classifier.frames import one_kind
from sinew_rewards.classifier.network import COARSE, FINE, Sizes, SuccessNetwork, as_input
from sinew_rewards.classifier.scorer import build_network, logits_of, looks_of
from sinew_rewards.classifier.splits import Split
from sinew_rewards.files import map_arrays

WARM_UP = 0.05  # share of the steps in which the rate rises


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train: half of each batch shows success, half does not, whatever there is more of."""

    seed: int = 0
    steps: int = 800  # at most
    batch: int = 32
    rate: float = 2e-3
    memory: float = 0.97  # of the average of the weights, which is what is kept
    decay: float = 0.01
    smoothing: float = 0.05  # of the labels, towards one half
    positive_weight: float = 1.0  # of a frame of success in the loss, relative to one without
    every: int = 25  # steps between looks at the validation part
    patience: int = 10  # looks without a better one, after which it ends
    fine: bool = False  # a map twice as fine, where a centimetre decides; takes half as long again
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.steps, self.every, self.patience) < 1 or self.batch < 2:
            raise ValueError("expected steps, every, patience >= 1 and batch >= 2.")
        if not (0 <= self.smoothing < 1 and 0 <= self.memory < 1):
            raise ValueError("expected 0 <= smoothing < 1 and 0 <= memory < 1.")
        if min(self.rate, self.positive_weight) <= 0 or self.decay < 0:
            raise ValueError("expected rate and positive_weight > 0, decay >= 0.")


@dataclass(slots=True)
class Progress:
    """How far a training is; `history` has step, loss and validation loss of every look."""

    step: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best: float = math.inf  # validation loss; written as a string where it is infinite
    history: list[tuple[int, float, float]] = field(default_factory=list)


class Trainer:
    """The network, the average of its states, the best of those, and its optimiser.

    Every step depends on its number, the seed and the data alone.
    """

    def __init__(self, config: TrainConfig, split: Split) -> None:
        self.config, self.progress = config, Progress()
        spec = one_kind([item.frames for item in (*split.train, *split.validation)])
        self.sizes = Sizes(len(spec.views), spec.size, halvings=FINE if config.fine else COARSE)
        self.data_digest = digest_of([*split.train, *split.validation])
        self.looks = looks_of([item.frames.pictures for item in split.train])
        self._train = FrameTable(split.train)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = build_network(self.sizes, self.looks)
        self.average, self.best = (build_network(self.sizes, self.looks).eval() for _ in range(2))
        for copy in (self.average, self.best):
            copy.load_state_dict(self.network.state_dict())
        self._optimizer = torch.optim.AdamW(self.network.parameters(), config.rate, weight_decay=config.decay)
        self._names = [name for name, _ in self.network.named_parameters()]
        self._check, self._truth = validation_frames(FrameTable(split.validation))
        self._loss = 0.0  # of the steps since the last look

    @property
    def done(self) -> bool:
        """Whether the steps are taken, or the last looks brought nothing better."""
        idle = self.progress.step - self.progress.best_step
        return self.progress.step >= self.config.steps or idle >= self.config.patience * self.config.every

    def step(self) -> float:
        """Take one step, with a look at the validation part when it is due; return the loss."""
        started = time.perf_counter()
        config, progress = self.config, self.progress
        rng = np.random.default_rng([29, config.seed, progress.step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        pictures, labels = self._draw(rng)
        inputs = augmented(as_input(pictures), config.augment, generator)
        for group in self._optimizer.param_groups:
            group["lr"] = config.rate * _rate_share(progress.step / config.steps)
        self.network.train()
        targets = labels * (1 - config.smoothing) + config.smoothing / 2
        weight = torch.where(labels > 0.5, config.positive_weight, 1.0)
        loss = functional.binary_cross_entropy_with_logits(self.network(inputs), targets, weight)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        self._follow()
        progress.step += 1
        value = float(loss.detach())
        if progress.step % config.every == 0 or progress.step == config.steps:
            self._look(value)
        progress.seconds += time.perf_counter() - started
        return value

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return pictures (b, cameras, s, s, 3) and labels (b,), half of them of success."""
        half = self.config.batch // 2
        parts = [
            places[rng.integers(len(places), size=count)]
            for places, count in (
                (self._train.positives, half),
                (self._train.negatives, self.config.batch - half),
            )
        ]
        labels = torch.cat([torch.ones(half), torch.zeros(self.config.batch - half)])
        return self._train.take(np.concatenate(parts)), labels

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the average follow, the faster the fewer steps there were."""
        keep = min(self.config.memory, (1 + self.progress.step) / (10 + self.progress.step))
        for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)

    def _look(self, loss: float) -> None:
        """Compare with the validation part, both classes counting equally, and keep what is best."""
        found = balanced_loss(logits_of(self.average, self._check), self._truth)
        self.progress.history.append((self.progress.step, loss, found))
        if found < self.progress.best:
            self.progress.best, self.progress.best_step = found, self.progress.step
            self.best.load_state_dict(self.average.state_dict())

    def save(self, path: Path) -> None:
        """Write all that is needed to go on; the file appears whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in self._networks.items():
            tensors |= _prefixed(prefix, network.state_dict())
        for i, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"{key}.{self._names[i]}": value.contiguous() for key, value in state.items()}
        facts = {**self._identity(), "progress": {**asdict(self.progress), "best": str(self.progress.best)}}
        write_whole(path, save(tensors, {"facts": json.dumps(facts)}))

    def load(self, path: Path) -> None:
        """Go on where `save` was called; ConfigError for a file of another training or other data."""
        _, facts = map_arrays(path)
        for key, wanted in self._identity().items():
            if facts.get(key) != wanted:
                raise ConfigError(
                    f"{path}: is of a training with another {key}: {facts.get(key)}, wanted {wanted}. "
                    "Give the same data and options, or begin anew with --force."
                )
        tensors = load(path.read_bytes())
        told = facts["progress"]
        history = [(int(step), float(loss), float(found)) for step, loss, found in told["history"]]
        self.progress = Progress(**{**told, "best": float(told["best"]), "history": history})
        for prefix, network in self._networks.items():
            network.load_state_dict(_under(tensors, prefix))
        moments = {key: _under(tensors, key) for key in ("step", "exp_avg", "exp_avg_sq")}
        state = self._optimizer.state_dict()
        state["state"] = {
            i: {key: values[name] for key, values in moments.items()}
            for i, name in enumerate(self._names)
            if name in moments["step"]
        }
        self._optimizer.load_state_dict(state)

    @property
    def _networks(self) -> dict[str, SuccessNetwork]:
        return {"network": self.network, "average": self.average, "best": self.best}

    def _identity(self) -> dict[str, Any]:
        """Return what a training is told from others by, as JSON gives it back."""
        facts = {"config": asdict(self.config), "sizes": asdict(self.sizes), "data": self.data_digest}
        plain: dict[str, Any] = json.loads(json.dumps(facts))
        return plain


Between = Callable[[Trainer, float], None]


def train(trainer: Trainer, between: Between) -> SuccessNetwork:
    """Train to the end and return the best network; `between` is called after every step and may raise."""
    while not trainer.done:
        between(trainer, trainer.step())
    return trainer.best


def _rate_share(share: float) -> float:
    """Return the rate as a share of its peak: a linear rise, then half a cosine down to nearly nothing."""
    if share < WARM_UP:
        return (share + 1e-3) / WARM_UP
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, share))) / 2


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{key}": value.contiguous() for key, value in tensors.items()}


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
