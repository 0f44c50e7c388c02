"""Training the goal encoder on videos: value-implicit pre-training, and the true way where it is known.

In simulation the way that is left is known, also where somebody goes astray, which no video of a success
shows; distances to goals are taught it besides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray, ImageArray
from sinew_perception.encoders.goal_encoder import SIZE, GoalEncoder
from sinew_perception.encoders.goal_encoder import Config as EncoderConfig
from torch import Tensor

from sinew_rewards.learned.trajectory import Features, Trajectory
from sinew_rewards.learners.goal_embedding_loss import (
    Rows,
    Videos,
    distance,
    draw_clips,
    ends_of,
    videos_of,
    vip_loss,
)
from sinew_rewards.report.ranks import rank_correlation

SHIFT = 4  # px, the most by which a clip is shifted


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How the encoder learns."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    steps: int = 8000
    batch: int = 8  # clips a step, four pictures each
    taught: int = 64  # pictures a step whose true way is taught, where it is known; 0: none
    weight: float = 200.0  # of what is taught
    rate: float = 1e-3  # which falls to zero as half a cosine
    decay: float = 1e-2  # of weights
    discount: float = 0.98
    final: float = 0.6  # share of the clips whose goal is the end of a video that did the same

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.steps, self.batch) < 1 or not 0 <= self.final <= 1:
            raise ValueError("expected steps and batch >= 1, final from 0 to 1.")
        if min(self.rate, self.decay, self.taught, self.weight) < 0:
            raise ValueError("expected rate, decay, taught and weight >= 0.")
        if not 0 < self.discount < 1:
            raise ValueError(f"discount: expected above 0 and below 1, got {self.discount}.")


@dataclass(frozen=True, slots=True)
class _Material:
    """Pictures, those of successes first, and what is known about them."""

    pictures: ImageArray  # (n, size, size, 3)
    moving: Videos  # the successes
    rows: Rows  # (k,) whose way is known
    ways: FloatArray  # (n,) from 1 to 0, NaN where it is not known
    groups: Rows  # (n,) the task


def train_encoder(
    videos: Sequence[Sequence[Trajectory]],
    config: TrainingConfig,
    seed: int,
    told: Callable[[int, float], None] = lambda step, loss: None,
) -> GoalEncoder:
    """Return an encoder trained on videos, those of one task after those of another.

    Pre-training looks at successes alone: the time from frame to frame is no measure of a way that leads
    nowhere. The last picture of a success is a goal of its task. Of every video whose true progress is known
    the distance to such goals is taught to be 1 - progress. `told` hears of each step and its loss.
    ConfigError without successes, for videos without pictures, and for pictures of another size.
    """
    material = _material(videos)
    rng, network = np.random.default_rng(seed), _fresh(config.encoder, seed)
    optimizer = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for step in range(config.steps):
        loss = _vip(network, material, config, rng)
        if config.taught and len(material.rows):
            loss = loss + config.weight * _taught(network, material, config.taught, rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimizer.step()
        rates.step()
        told(step, float(loss.detach()))
    return network.eval()


def _material(videos: Sequence[Sequence[Trajectory]]) -> _Material:
    told = [(group, item) for group, task in enumerate(videos) for item in task]
    done = [(group, item) for group, item in told if item.success]
    moving = videos_of([len(item.stamps) for _, item in done], [group for group, _ in done])
    if not len(moving.begins):
        raise ConfigError("goal encoder: expected successes of at least two pictures, got none.")
    other = [each for each in told if not each[1].success and each[1].progress is not None]
    used = [*done, *other]
    ways = np.concatenate([_ways(item) for _, item in used])
    groups = np.concatenate([np.full(len(item.stamps), group) for group, item in used])
    known = np.isfinite(ways) & np.isin(groups, moving.groups)
    pictures = np.concatenate([_pictures(item) for _, item in used])
    return _Material(pictures, moving, np.flatnonzero(known), ways, groups)


def _ways(item: Trajectory) -> FloatArray:
    unknown = np.full(len(item.stamps), np.nan)
    return unknown if item.progress is None else 1.0 - np.asarray(item.progress, np.float64)


def _vip(
    network: GoalEncoder, material: _Material, config: TrainingConfig, rng: np.random.Generator
) -> Tensor:
    """Return the loss of value-implicit pre-training."""
    clips = draw_clips(material.moving, config.batch, config.final, rng)
    rows = np.stack([clips.start, clips.now, clips.after, clips.goal])
    seen = network(as_pixels(material.pictures, rows, rng)).unflatten(0, (4, -1))
    return vip_loss(seen, clips, config.discount, negatives=True)


def _taught(network: GoalEncoder, material: _Material, count: int, rng: np.random.Generator) -> Tensor:
    """Return the squared error of distances to goals of other scenes."""
    rows = rng.choice(material.rows, count)
    goals = ends_of(material.moving, material.groups[rows], rng)
    seen, goal = network(as_pixels(material.pictures, np.stack([rows, goals]), rng)).unflatten(0, (2, -1))
    return (distance(seen, goal) - torch.from_numpy(material.ways[rows]).float()).square().mean()


def as_pixels(pictures: ImageArray, rows: Rows, rng: np.random.Generator) -> Tensor:
    """Return the pixels (k b, 3, size, size) in [-1, 1] of rows (k, b), one line after the other.

    The pictures of a column belong together: it is shifted and, half of the time, mirrored as a whole.
    """
    count, size = int(rows.shape[1]), int(pictures.shape[1])
    corners, mirrored = rng.integers(0, 2 * SHIFT + 1, (count, 2)), rng.random(count) < 0.5
    wide = np.pad(pictures[rows.ravel()], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
    taken = np.empty((rows.size, size, size, 3), np.uint8)
    for i, picture in enumerate(wide):
        down, across = corners[i % count]
        cut = picture[down : down + size, across : across + size]
        taken[i] = cut[:, ::-1] if mirrored[i % count] else cut
    return torch.from_numpy(taken).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def time_order(features: Callable[[ImageArray], Features], videos: Sequence[Trajectory]) -> float | None:
    """Return how well closeness to the goal orders the pictures of each success by time, 1 is perfect.

    It is the mean rank correlation; a success's goal is the mean of how the others end. None where there
    are fewer than two successes.
    """
    found = [features(_pictures(item)) for item in videos if item.success]
    if len(found) < 2:
        return None
    ends = np.stack([each[-1] for each in found])
    orders = []
    for i, each in enumerate(found):
        goal = np.delete(ends, i, axis=0).mean(0)
        orders.append(rank_correlation(-np.linalg.norm(each - goal, axis=1), np.arange(len(each))))
    return float(np.mean(orders))


def _fresh(config: EncoderConfig, seed: int) -> GoalEncoder:
    """Return a network with weights from a seed, laid out as convolutions on a processor want them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = GoalEncoder(config)
    moved: GoalEncoder = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def _pictures(item: Trajectory) -> ImageArray:
    if item.pictures is None:
        raise ConfigError(f"goal encoder: episode {item.name} has no pictures.")
    if item.pictures.shape[1:] != (SIZE, SIZE, 3):
        raise ConfigError(
            f"goal encoder: expected pictures ({SIZE}, {SIZE}, 3), episode {item.name} has "
            f"{item.pictures.shape[1:]}."
        )
    return item.pictures
