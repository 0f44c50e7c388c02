"""Comparisons as tensors: all rows once, and for each comparison where its two clips begin and how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_data.feedback.pairs import comparisons_of, rater_weights
from sinew_data.feedback.types import Clip, Comparison, Feedback
from torch import Tensor

from sinew_rewards.learned.trajectory import Episodes

ABOUT_EVEN = 1e-9  # of a probability from one half, that still says nothing


@dataclass(frozen=True, slots=True)
class Pairs:
    """n comparisons over N rows of features; a clip is `lengths` rows from `starts` on."""

    rows: Tensor  # (N, d) of all episodes, float32
    starts: Tensor  # (n, 2) into rows
    lengths: Tensor  # (n, 2) at least 1
    labels: Tensor  # (n) probability that the first clip is better
    weights: Tensor  # (n) above 0, 1 on average
    families: Tensor  # (n, 2) numbers of what must not be split between training and test

    def __len__(self) -> int:
        """Return how many comparisons there are."""
        return len(self.labels)

    @property
    def mean_length(self) -> float:
        """Rows of a clip, on average."""
        return float(self.lengths.double().mean())

    @property
    def lengths_differ(self) -> bool:
        """Whether sums over clips say anything of what a step is worth at least."""
        return bool((self.lengths[:, 0] != self.lengths[:, 1]).any())


@dataclass(frozen=True, slots=True)
class Looks:
    """Which rows stand for clips, and how much each counts in the clip's sum."""

    at: Tensor  # (b, 2, r) into the rows of Pairs
    counts: Tensor  # (b, 2, r); a row that is only padding counts 0, a clip's counts sum up to its length


def weighed(feedback: Sequence[Feedback]) -> list[Comparison]:
    """Return what entries say or imply of pairs of clips, so that no rater drowns all the others.

    An entry that is there twice counts once.
    """
    entries = list({entry.id: entry for entry in feedback}.values())
    pairs = comparisons_of(entries)
    return [
        replace(comparison, strength=comparison.strength * float(weight))
        for (comparison, _), weight in zip(pairs, rater_weights(pairs), strict=True)
    ]


def pairs_of(episodes: Episodes, comparisons: Sequence[Comparison]) -> Pairs:
    """Return comparisons as tensors; a clip compared with itself is left out.

    Raises ConfigError where nothing says which way is better, and for a clip that is not there.
    """
    told = [each for each in comparisons if each.first != each.second]
    check_decides(told)
    offsets, families = _places(episodes)
    starts, lengths, kin = [], [], []
    for each in told:
        slices = [episodes.rows(clip) for clip in (each.first, each.second)]
        names = (each.first.episode, each.second.episode)
        starts.append([offsets[name] + rows.start for name, rows in zip(names, slices, strict=True)])
        lengths.append([rows.stop - rows.start for rows in slices])
        kin.append([families[name] for name in names])
    weights = torch.tensor([each.strength for each in told])
    return Pairs(
        rows=torch.from_numpy(np.concatenate([item.features for item in episodes.trajectories])).float(),
        starts=torch.tensor(starts),
        lengths=torch.tensor(lengths),
        labels=torch.tensor([each.preferred for each in told]),
        weights=weights / weights.mean(),
        families=torch.tensor(kin),
    )


def check_decides(comparisons: Sequence[Comparison]) -> None:
    """Raise ConfigError where there is no comparison, or all are ties or cancel each other out."""
    if not comparisons:
        raise ConfigError(
            "there is no comparison of two different clips to learn from; `sinew feedback ask` asks for some."
        )
    balance: defaultdict[tuple[Clip, Clip], float] = defaultdict(float)
    for each in comparisons:
        said = each.strength * (each.preferred - 0.5)
        balance[each.first, each.second] += said
        balance[each.second, each.first] -= said
    if all(abs(value) < ABOUT_EVEN for value in balance.values()):
        ties = sum(each.tied for each in comparisons)
        raise ConfigError(
            f"none of the {len(comparisons)} comparisons says which clip is better: {ties} are ties, the "
            "others contradict each other. At least one must decide; `sinew feedback ask` asks for more."
        )


def spread_looks(pairs: Pairs, chosen: Tensor, most: int, generator: torch.Generator | None) -> Looks:
    """Return at most `most` rows for each clip of the chosen (b) comparisons, evenly spread.

    Where a clip is longer, one row is drawn of each of `most` equal parts (their middle, without a
    generator), so that the weighted sum is an unbiased estimate of the sum over the clip.
    """
    starts, lengths = pairs.starts[chosen, :, None], pairs.lengths[chosen, :, None]
    ticks = torch.arange(min(most, int(lengths.max())))
    used = lengths.clamp_max(len(ticks))
    shape = (len(chosen), 2, len(ticks))
    within = torch.full(shape, 0.5) if generator is None else torch.rand(shape, generator=generator)
    at = ((ticks + within) * (lengths / used)).long()
    at = torch.where(lengths > used, at, ticks).minimum(lengths - 1)
    return Looks(starts + at, (ticks < used) * (lengths / used))


def _places(episodes: Episodes) -> tuple[dict[str, int], dict[str, int]]:
    """Return of each episode its first row among all, and the number of its family."""
    offsets: dict[str, int] = {}
    families: dict[str, int] = {}
    numbers: dict[str, int] = {}
    total = 0
    for item in episodes.trajectories:
        offsets[item.name] = total
        total += len(item.stamps)
        families[item.name] = numbers.setdefault(item.family, len(numbers))
    return offsets, families
