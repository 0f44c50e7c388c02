"""Where one sub-goal of a demonstration ends and the way to the next begins (UVD, Zhang et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

NEARBY = 3  # frames by which smoothing may move a peak that is steeper on one side


@dataclass(frozen=True, slots=True)
class CutConfig:
    """How a demonstration is taken apart; the numbers of the paper."""

    interval: int = 18  # frames between two sub-goals, more than these
    smoothing: float = 0.08  # of distances over frames: a neighbour k frames away weighs exp(-smoothing k^2)
    still: float = 0.02  # of the greatest distance to the last frame, within which the end is a static tail

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.interval < 1 or self.smoothing <= 0 or not 0 <= self.still < 1:
            raise ValueError(
                "sub-goals: expected interval >= 1, smoothing above 0 and still from 0 to below 1."
            )


def cuts(features: npt.ArrayLike, config: CutConfig = CutConfig()) -> list[int]:
    """Return the frames of features (T, d) at which a sub-goal is reached, rising; the last is T - 1.

    Backward from the end: on the way to a sub-goal the distance to it falls, so the latest frame at which
    it still grew is the sub-goal before. Frames at the end in which nothing moves any more are not looked
    at. ValueError for features of another shape, or that are not finite.
    """
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"cuts: expected finite features (T, d) of at least one frame, got {values.shape}.")
    goal, found = _moving_until(values, config.still), [len(values) - 1]
    while (before := _before(values, goal, config)) is not None:
        found.append(before)
        goal = before
    return found[::-1]


def _moving_until(values: FloatArray, still: float) -> int:
    """Return the first frame from which on all are where the last one is."""
    distance = np.linalg.norm(values - values[-1], axis=1)
    away = np.flatnonzero(distance > still * distance.max())
    return int(away[-1]) + 1 if len(away) else 0


def _before(values: FloatArray, goal: int, config: CutConfig) -> int | None:
    """Return the sub-goal before frame `goal`; None where there is none."""
    distance = np.linalg.norm(values[: goal + 1] - values[goal], axis=1)
    smooth = _smooth(distance, config.smoothing)
    rising, falling = smooth[1:-1] > smooth[:-2], smooth[1:-1] >= smooth[2:]
    peaks = np.flatnonzero(rising & falling) + 1
    peaks = peaks[(goal - peaks > config.interval) & (peaks > config.interval)]
    if not len(peaks):
        return None
    first = max(int(peaks[-1]) - NEARBY, 0)
    return first + int(distance[first : int(peaks[-1]) + NEARBY + 1].argmax())


def _smooth(values: FloatArray, smoothing: float) -> FloatArray:
    """Return the kernel regression of values over their indices (Nadaraya and Watson)."""
    frames = np.arange(len(values))
    weights = np.exp(-smoothing * np.square(frames[:, None] - frames))
    return np.asarray(weights @ values / weights.sum(1))
