"""Training the goal encoder on videos without actions, by value-implicit pre-training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray
from sinew_perception.encoders.goal_encoder import SIZE, GoalEncoder
from sinew_perception.encoders.goal_encoder import Config as EncoderConfig
from torch import Tensor

from sinew_rewards.learned.trajectory import Features, Trajectory
from sinew_rewards.learners.goal_embedding_loss import Clips, draw_clips, videos_of, vip_loss
from sinew_rewards.report.ranks import rank_correlation

SHIFT = 4  # px, the most by which a clip is shifted


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How the encoder learns."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    steps: int = 6000
    batch: int = 32  # clips a step, four pictures each
    rate: float = 1e-3  # which falls to zero as half a cosine
    decay: float = 1e-2  # of weights
    discount: float = 0.98
    final: float = 0.6  # share of the clips whose goal is the end of a video that did the same

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.steps, self.batch) < 1 or min(self.rate, self.decay) < 0 or not 0 <= self.final <= 1:
            raise ValueError("expected steps and batch >= 1, rate and decay >= 0, final from 0 to 1.")
        if not 0 < self.discount < 1:
            raise ValueError(f"discount: expected above 0 and below 1, got {self.discount}.")


def train_encoder(
    videos: Sequence[Sequence[Trajectory]],
    config: TrainingConfig,
    seed: int,
    told: Callable[[int, float], None] = lambda step, loss: None,
) -> GoalEncoder:
    """Return an encoder trained on the successes among videos, those of one task after those of another.

    Others are left out: the time from frame to frame is no measure of a way that leads nowhere. The last
    picture of a success is a goal of its task. `told` hears of each step and its loss. ConfigError where
    nothing is left, for videos without pictures, and for pictures of another size.
    """
    done = [[item for item in task if item.success] for task in videos]
    lengths = [len(item.stamps) for task in done for item in task]
    moving = videos_of(lengths, [i for i, task in enumerate(done) for _ in task])
    if not len(moving.begins):
        raise ConfigError("goal encoder: expected successes of at least two pictures, got none.")
    pictures = np.concatenate([_pictures(item) for task in done for item in task])
    rng, network = np.random.default_rng(seed), _fresh(config.encoder, seed)
    optimizer = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for step in range(config.steps):
        clips = draw_clips(moving, config.batch, config.final, rng)
        optimizer.zero_grad()
        seen = network(clips_as_pixels(pictures, clips, rng)).unflatten(0, (4, -1))
        loss = vip_loss(seen, clips, config.discount, negatives=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimizer.step()
        rates.step()
        told(step, float(loss.detach()))
    return network.eval()


def clips_as_pixels(pictures: ImageArray, clips: Clips, rng: np.random.Generator) -> Tensor:
    """Return pixels (4 b, 3, size, size) in [-1, 1]: all starts, then now, after and goals.

    Each clip is shifted and, half of them, mirrored, all its pictures alike.
    """
    count, size = len(clips.start), pictures.shape[1]
    corners, mirrored = rng.integers(0, 2 * SHIFT + 1, (count, 2)), rng.random(count) < 0.5
    rows = np.concatenate([clips.start, clips.now, clips.after, clips.goal])
    wide = np.pad(pictures[rows], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
    taken = np.empty((len(rows), size, size, 3), np.uint8)
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
