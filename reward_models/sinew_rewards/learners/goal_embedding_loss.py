"""The loss of value-implicit pre-training, and the clips of actionless videos that it looks at (VIP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Videos:
    """Videos one after the other in one array of rows."""

    begins: Rows  # (v,) first row of each
    ends: Rows  # (v,) last row of each, after the first
    groups: Rows  # (v,) videos that reach the same goal have the same, at least 0; below 0: none is reached


@dataclass(frozen=True, slots=True)
class Clips:
    """Rows (b,): a clip's start, a step within it from `now` to `after`, and the goal."""

    start: Rows
    now: Rows
    after: Rows
    goal: Rows
    length: Rows  # (b,) steps from the start until the goal is reached, in the clip's own video


def videos_of(lengths: Sequence[int], groups: Sequence[int]) -> Videos:
    """Return videos of so many rows each; those with a single one hold no step and are left out."""
    ends = np.cumsum(lengths, dtype=np.int64) - 1
    begins = ends + 1 - np.asarray(lengths, np.int64)
    moving = ends > begins
    return Videos(begins[moving], ends[moving], np.asarray(groups, np.int64)[moving])


def draw_clips(videos: Videos, count: int, final: float, rng: np.random.Generator) -> Clips:
    """Return `count` clips whose goal is any later frame of the same video, as in the paper.

    With the probability `final`, where its video reaches one, it is the last frame of any video of the same
    group instead: what is done looks like the goal in another scene, too.
    """
    chosen = rng.integers(len(videos.begins), size=count)
    begins, ends, groups = videos.begins[chosen], videos.ends[chosen], videos.groups[chosen]
    whole = (rng.random(count) < final) & (groups >= 0)
    start = rng.integers(begins, ends)
    until = np.where(whole, ends, rng.integers(start + 1, ends + 1))
    now = rng.integers(start, until)
    goal = np.where(whole, ends_of(videos, groups, rng), until)
    return Clips(start, now, now + 1, goal, until - start)


def ends_of(videos: Videos, groups: Rows, rng: np.random.Generator) -> Rows:
    """Return, for each of `groups` (b,), the last row of any video of it."""
    found, draws = np.empty_like(groups), rng.random(len(groups))
    for group in np.unique(groups):
        ends, here = videos.ends[videos.groups == group], groups == group
        found[here] = ends[(draws[here] * len(ends)).astype(np.intp)]
    return found


def vip_loss(seen: Tensor, clips: Clips, discount: float, negatives: bool) -> Tensor:
    """Return the loss (...) of embeddings (4, ..., b, f) of clips' start, now, after and goal.

    It is eq. 5 of Ma et al. 2023 (VIP), whose steps are those of the discounted way: `now` is weighted by
    how often the way is there, and what is left of the weight rests at the goal, where nothing can surprise.
    Without it the loss falls without end as distances grow. With `negatives`, steps of other clips are held
    against each goal besides: nothing says that they lead there. A step pays -1, and the value of a picture
    is minus its distance to the goal over 1 - discount, so that embeddings of about one are on the scale of
    returns (as in LIV, Ma et al. 2023b).
    """
    start, now, after, goal = seen / (1 - discount)
    gone, length = (torch.from_numpy(rows).float() for rows in (clips.now - clips.start, clips.length))
    visits = (1 - discount) * discount**gone * length
    moving = visits.log() + _surprise(now, after, goal, discount)
    resting = (length * np.log(discount)).expand_as(moving)
    loss = (1 - discount) * distance(start, goal).mean(-1) + _log_mean_exp(moving, resting)
    if negatives:
        loss = loss + _log_mean_exp(_surprise(now.roll(1, -2), after.roll(1, -2), goal, discount))
    return loss


def _surprise(now: Tensor, after: Tensor, goal: Tensor, discount: float) -> Tensor:
    """Return how much less a step (..., b) was worth than it seemed before."""
    return 1.0 + discount * distance(after, goal) - distance(now, goal)


def _log_mean_exp(*terms: Tensor) -> Tensor:
    """Return the logarithm of the mean over clips of the sum of exp(terms), each (..., b)."""
    return torch.logsumexp(torch.cat(terms, -1), -1) - float(np.log(terms[0].shape[-1]))


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the distance (..., b), with a slope at zero, too."""
    return torch.sqrt((one - other).square().sum(-1) + 1e-6)
