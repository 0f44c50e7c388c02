"""Value as closeness to the goal in an embedding that learns how long the way is (VIP, Ma et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.trajectory import Episodes, Features
from sinew_rewards.learners.goal_embedding_loss import Videos, draw_clips, videos_of, vip_loss
from sinew_rewards.learners.shown import demonstrations
from sinew_rewards.scorers.goal_embedding import GoalScorer

LEAST_WAY = 1e-3  # distance, where a demonstration begins at its goal
FARTHEST = 0.95  # quantile of the demonstrations' distances that counts as no progress


@dataclass(frozen=True, slots=True)
class Config:
    """The embedding and its training, and what is paid."""

    embedding: Literal["trained", "given"] = "trained"  # given: the features are one, as a goal encoder's are
    form: Literal["value", "difference"] = (
        "value"  # what a step pays: minus the distance, or how much it fell
    )
    hidden: tuple[int, ...] = (64, 64)
    size: int = 16  # of the embedding
    members: int = 3  # embeddings that are learnt side by side; their spread is the uncertainty
    steps: int = 600
    batch: int = 64  # clips a step
    rate: float = 1e-3
    decay: float = 1e-3
    discount: float = 0.99
    final: float = 0.5  # share of clips whose goal is the end of any demonstration
    noise: float = 0.1  # standard deviations by which features are moved at random in training
    negatives: bool = True  # hold each goal against the steps of other clips, too

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.size, self.members, self.steps, self.batch, *self.hidden) < 1:
            raise ValueError("expected sizes, members, steps and batch of at least 1.")
        if (
            not 0 < self.discount < 1
            or not 0 <= self.final <= 1
            or min(self.rate, self.decay, self.noise) < 0
        ):
            raise ValueError(
                "expected discount between 0 and 1, final from 0 to 1, rate, decay and noise of at least 0."
            )


class GoalEmbedding:
    """Learns from demonstrations, without actions, how long ways are; the goal is where they end.

    Episodes that are no demonstrations are not looked at: the method takes the time from frame to frame for
    the way, which it is only where somebody is going somewhere.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, episodes: Episodes, feedback: Sequence[Feedback], seed: int) -> GoalScorer:
        """Learn; ConfigError where no demonstration has two frames."""
        config = self._config
        shown = demonstrations(episodes, feedback, "goal embedding")
        network = None if config.embedding == "given" else self._train(shown, seed)
        found = [_embed(network, demo) for demo in shown]  # (members, T, f)
        goal = np.mean([demo[:, -1] for demo in found], axis=0)  # (members, f)
        ways = [np.linalg.norm(demo - goal[:, None], axis=2) for demo in found]
        far = np.quantile(np.concatenate(ways, axis=1), FARTHEST, axis=1)
        return GoalScorer(network, goal, np.maximum(far, LEAST_WAY), config.form)

    def _train(self, shown: Sequence[FloatArray], seed: int) -> Ensemble:
        config = self._config
        videos = videos_of([len(demo) for demo in shown], [0] * len(shown))
        if not len(videos.begins):
            raise ConfigError("goal embedding: every demonstration has a single frame; expected a way.")
        frames = np.concatenate(shown)
        network = Ensemble(frames.shape[1], config.hidden, config.members, config.size, seed=seed)
        network.look(frames)
        self._descend(network, frames.astype(np.float32), videos, seed)
        return network.eval()

    def _descend(self, network: Ensemble, frames: Features, videos: Videos, seed: int) -> None:
        config, rng = self._config, np.random.default_rng(seed)
        spread = config.noise * network.std.numpy()
        optimizer = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
        for _ in range(config.steps):
            clips = draw_clips(videos, config.batch, config.final, rng)
            rows = np.stack([clips.start, clips.now, clips.after, clips.goal])
            moved = frames[rows] + spread * rng.standard_normal((*rows.shape, len(spread)), np.float32)
            seen = network(torch.from_numpy(moved)).transpose(0, 1)
            loss = vip_loss(seen, clips, config.discount, config.negatives).sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def _embed(network: Ensemble | None, features: FloatArray) -> FloatArray:
    """Return embeddings (members, T, f) of features (T, d)."""
    return features[None] if network is None else network.of(features)
