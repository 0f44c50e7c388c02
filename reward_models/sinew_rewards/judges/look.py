"""What a judge is shown: a picture, and the clip that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray
from sinew_data.feedback.types import Clip

from sinew_rewards.learned.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class Look:
    """A moment of an episode."""

    clip: Clip  # of this moment alone
    picture: ImageArray  # (h, w, 3)


def look_at(trajectory: Trajectory, row: int) -> Look:
    """Return a row of an episode as a look; ConfigError where the episode has no pictures."""
    if trajectory.pictures is None:
        raise ConfigError(f"episode {trajectory.name} has no pictures to judge; name a camera.")
    stamp = int(trajectory.stamps[row])
    return Look(Clip(trajectory.name, stamp, stamp), trajectory.pictures[row])


def difference(first: ImageArray, second: ImageArray) -> float:
    """Return how different pictures are: the root of the mean squared difference, 0 to 1.

    Pictures of different sizes are as different as can be.
    """
    if first.shape != second.shape:
        return 1.0
    return float(np.sqrt(np.mean(np.square(first.astype(np.float32) - second.astype(np.float32)))) / 255)
