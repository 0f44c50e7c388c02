"""Comparisons with the operators who made them, for learners that tell people apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sinew_core.errors import ConfigError, did_you_mean
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.types import Comparison, Feedback
from torch import Tensor

from sinew_rewards.learned.trajectory import Episodes, Features
from sinew_rewards.learners.preference_pairs import Looks, Pairs, check_decides, pairs_of, spread_looks


@dataclass(frozen=True, slots=True)
class OperatorPairs:
    """n comparisons, and who made each."""

    names: tuple[str, ...]  # of the operators, sorted
    who: Tensor  # (n) into names
    pairs: Pairs

    def counts(self) -> Tensor:
        """Return how many comparisons each operator made."""
        return torch.bincount(self.who, minlength=len(self.names))


def operator_pairs(episodes: Episodes, feedback: Sequence[Feedback]) -> OperatorPairs:
    """Return all comparisons that entries mean; ConfigError where an operator's decide nothing."""
    entries = list({entry.id: entry for entry in feedback}.values())
    told = [(said, entry.who) for said, entry in comparisons_of(entries) if said.first != said.second]
    if not told:
        raise ConfigError(
            f"there is no comparison of two different clips to tell operators apart by, only "
            f"{kinds_in_words(feedback)}; `sinew feedback ask` asks for some."
        )
    names = tuple(sorted({who for _, who in told}))
    for name in names:
        check_operator([said for said, who in told if who == name], name)
    numbers = torch.tensor([names.index(who) for _, who in told])
    return OperatorPairs(names, numbers, pairs_of(episodes, [said for said, _ in told]))


def part_of(pairs: Pairs, chosen: Tensor) -> Pairs:
    """Return some of n comparisons, by numbers or by a mask (n)."""
    parts = {each: getattr(pairs, each)[chosen] for each in ("starts", "lengths", "labels", "weights")}
    return replace(pairs, families=pairs.families[chosen], **parts)


def check_operator(comparisons: Sequence[Comparison], name: str) -> None:
    """Raise ConfigError where an operator's comparisons say nothing of their taste."""
    try:
        check_decides(comparisons)
    except ConfigError as error:
        raise ConfigError(f"operator '{name}': {error}") from error


def check_known(name: str, names: Sequence[str]) -> None:
    """Raise ConfigError for an operator that is not there."""
    if name not in names:
        raise ConfigError(
            f"operator '{name}': made none of the comparisons that this reward was learnt from."
            f"{did_you_mean(name, names)} `infer` adds somebody from a few comparisons."
        )


def kinds_in_words(feedback: Sequence[Feedback]) -> str:
    """Return how much feedback of which kind there is."""
    kinds = Counter(entry.kind for entry in feedback)
    return ", ".join(f"{count} of kind '{kind}'" for kind, count in kinds.items()) or "an empty log"


def clip_means(pairs: Pairs, rows: Tensor, most: int) -> Tensor:
    """Return the mean (n, 2, d) over each clip of `rows` (N, d), from at most `most` rows of the clip."""
    looks = spread_looks(pairs, torch.arange(len(pairs)), most, None)
    return mean_over(looks, rows[looks.at])


def mean_over(looks: Looks, values: Tensor) -> Tensor:
    """Return means (..., b, 2, k) over clips of the values (..., b, 2, r, k) in their rows."""
    shares = looks.counts / looks.counts.sum(-1, keepdim=True)
    return (values * shares[..., None]).sum(-2)


def rows_of(episodes: Episodes) -> Features:
    """Return the rows (N, d) of all episodes."""
    return np.concatenate([item.features for item in episodes.trajectories])
