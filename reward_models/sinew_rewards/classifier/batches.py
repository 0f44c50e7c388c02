"""Frames of many episodes as one table to draw batches from, and what a batch is judged by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sinew_rewards.classifier.labels import Labelled

CHECKED = 400  # frames of the validation part, at most, that early stopping looks at


class FrameTable:
    """The frames of some episodes, to be drawn from."""

    def __init__(self, episodes: Sequence[Labelled]) -> None:
        self._episodes = episodes
        self.positives, self.negatives = (_places(episodes, label) for label in (1, 0))

    def take(self, places: npt.NDArray[np.intp]) -> Tensor:
        """Return pictures (b, cameras, s, s, 3) at places (b, 2) of episode and frame."""
        rows = [self._episodes[episode].frames.pictures[frame] for episode, frame in places]
        return torch.from_numpy(np.stack(rows))


def validation_frames(table: FrameTable) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Return pictures and labels, at most CHECKED, of each class evenly over its episodes."""
    chosen = []
    for places in (table.positives, table.negatives):
        count = min(len(places), CHECKED // 2)
        chosen.append(places[np.linspace(0, len(places) - 1, count).round().astype(np.intp)])
    labels = np.concatenate([np.ones(len(chosen[0])), np.zeros(len(chosen[1]))])
    return table.take(np.concatenate(chosen)).numpy(), labels


def balanced_loss(logits: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> float:
    """Return the cross entropy, the mean of that of both classes."""
    each = np.logaddexp(0.0, np.where(labels > 0.5, -logits, logits))
    return float(np.mean([each[labels == label].mean() for label in (0.0, 1.0)]))


def digest_of(episodes: Sequence[Labelled]) -> str:
    """Return a hash of episodes: names, labels and every pixel."""
    total = hashlib.sha256()
    for item in episodes:
        total.update(f"{item.name} {item.frames.spec.digest}".encode())
        total.update(item.labels.tobytes())
        total.update(item.frames.pictures.tobytes())
    return total.hexdigest()


def _places(episodes: Sequence[Labelled], label: int) -> npt.NDArray[np.intp]:
    """Return the places (n, 2), episode and frame, of a label."""
    found = [
        np.stack([np.full(len(at), i), at], 1)
        for i, item in enumerate(episodes)
        if len(at := np.flatnonzero(item.labels == label))
    ]
    return np.concatenate(found) if found else np.zeros((0, 2), np.intp)
