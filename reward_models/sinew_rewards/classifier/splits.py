"""Episodes for training, for choosing, and for the report card: never two of these for one episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError

from sinew_rewards.classifier.labels import Labelled

LEAST = 3  # episodes with success, one for each part


@dataclass(frozen=True, slots=True)
class Shares:
    """Which share of the episodes is kept from training."""

    validation: float = 0.2  # for early stopping, calibration and threshold
    held_out: float = 0.25  # for the report card

    def __post_init__(self) -> None:
        """Check that something is left to train on."""
        if min(self.validation, self.held_out) <= 0 or self.validation + self.held_out >= 1:
            raise ValueError(f"expected shares above 0 with a sum below 1, got {self}.")


@dataclass(frozen=True, slots=True)
class Split:
    """The episodes of each part."""

    train: tuple[Labelled, ...]
    validation: tuple[Labelled, ...]
    held_out: tuple[Labelled, ...]

    def names(self) -> dict[str, list[str]]:
        """Return the episodes' names of each part."""
        return {
            part: [item.name for item in getattr(self, part)] for part in ("train", "validation", "held_out")
        }


def split_episodes(episodes: Sequence[Labelled], shares: Shares, seed: int) -> Split:
    """Split episodes with success and episodes without, each by the shares; the seed draws which.

    ConfigError where a part would lack one of the classes.
    """
    rng = np.random.default_rng([3, seed])
    parts: list[list[Labelled]] = [[], [], []]
    for kind in (True, False):
        of_kind = sorted((e for e in episodes if (e.positives > 0) == kind), key=lambda e: e.name)
        order = [of_kind[i] for i in rng.permutation(len(of_kind))]
        counts = [_share(len(order), share) for share in (shares.validation, shares.held_out)]
        ends = np.cumsum([len(order) - sum(counts), *counts])
        for i, (begin, end) in enumerate(zip((0, *ends[:-1]), ends, strict=True)):
            parts[i] += order[begin:end]
    split = Split(*(tuple(sorted(part, key=lambda e: e.name)) for part in parts))
    _check(episodes, split)
    return split


def _share(count: int, share: float) -> int:
    """Return how many of so many episodes a part gets: at least one where all three parts can have one."""
    return max(1, round(count * share)) if count >= LEAST else 0


def _check(episodes: Sequence[Labelled], split: Split) -> None:
    for part in ("train", "validation", "held_out"):
        members: tuple[Labelled, ...] = getattr(split, part)
        positives, negatives = sum(e.positives for e in members), sum(e.negatives for e in members)
        if positives == 0 or negatives == 0:
            successes = sum(e.positives > 0 for e in episodes)
            raise ConfigError(
                f"{len(episodes)} episodes, {successes} with success, cannot be split: '{part}' would have "
                f"{positives} frames of success and {negatives} without. Record at least {LEAST} episodes "
                "with success, from their beginning."
            )
