"""Pictures of a bar that grows with how far the work is, and episodes of them."""

import numpy as np
from sinew_core.types import ImageArray
from sinew_data.feedback.types import Clip
from sinew_rewards.judges.look import Look
from sinew_rewards.judges.scripted import picture_key
from sinew_rewards.learned.trajectory import Trajectory

SIZE = 24


def bar(worth: float) -> ImageArray:
    """Return a picture (24, 24, 3) of a bar, 0 to 1."""
    picture = np.full((SIZE, SIZE, 3), 40, np.uint8)
    picture[:, : round(worth * SIZE)] = 200
    return picture


def look(worth: float, episode: str = "a", stamp: int = 0) -> Look:
    return Look(Clip(episode, stamp, stamp), bar(worth))


def episode(name: str, worths: list[float], size: int = 3) -> Trajectory:
    return Trajectory(
        name,
        np.arange(len(worths), dtype=np.int64) * 10,
        np.zeros((len(worths), size), np.float32),
        pictures=np.stack([bar(worth) for worth in worths]),
    )


def known() -> dict[str, float]:
    """Return how much each picture is worth, as the scripted model knows it."""
    return {picture_key(bar(i / SIZE)): i / SIZE for i in range(SIZE + 1)}
