"""Simulated episodes of one task, split into what learners see and what they are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.errors import ConfigError
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import SIZE
from sinew_rewards.learned.trajectory import Episodes, Trajectory

from sinew_eval.benches.demo_rewards.entrants import Look
from sinew_eval.reward_episodes import simulated_trajectories


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many episodes there are, and what for."""

    episodes: int = 80  # of a task
    demonstrations: int = 5
    others: int = 15  # failures that are shown beside, which only inverse RL looks at

    def __post_init__(self) -> None:
        """Check that something is left to test on."""
        if self.demonstrations < 1 or self.others < 0 or self.episodes <= self.demonstrations + self.others:
            raise ConfigError(
                f"expected more than {self.demonstrations} + {self.others} episodes, got {self.episodes}."
            )


@dataclass(frozen=True, slots=True)
class Split:
    """Episodes for a learner, and others."""

    shown: Episodes
    unseen: tuple[Trajectory, ...]


def looked_at(
    task: str, sizes: Sizes, seed: int, network: FrozenFeatures | None
) -> dict[Look, tuple[Trajectory, ...]]:
    """Return the episodes of the seeds from `seed` on, with keypoints' features and a network's."""
    plain = simulated_trajectories(task, sizes.episodes, seed, size=SIZE)
    found: dict[Look, tuple[Trajectory, ...]] = {"keypoints": plain}
    if network is not None:
        found["pictures"] = tuple(replace(item, features=_embedded(item, network)) for item in plain)
    return found


def split(episodes: Sequence[Trajectory], sizes: Sizes, seed: int) -> Split:
    """Return a split by chance; ConfigError where one side would lack successes or failures."""
    order = np.random.default_rng([23, seed]).permutation(len(episodes))
    done = [episodes[i] for i in order if episodes[i].success]
    failed = [episodes[i] for i in order if not episodes[i].success]
    if len(done) <= sizes.demonstrations or len(failed) <= sizes.others:
        raise ConfigError(
            f"of {len(episodes)} episodes {len(done)} succeed and {len(failed)} fail; expected more than "
            f"{sizes.demonstrations} and {sizes.others}: make more."
        )
    shown = [*done[: sizes.demonstrations], *failed[: sizes.others]]
    return Split(Episodes(shown), (*done[sizes.demonstrations :], *failed[sizes.others :]))


def _embedded(item: Trajectory, network: FrozenFeatures) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    assert item.pictures is not None
    found: np.ndarray[tuple[int, int], np.dtype[np.float32]] = network(item.pictures)
    return found
