"""What a learned reward loses without one of the things that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray

from sinew_rewards.learned.features import FeatureConfig, picture_network
from sinew_rewards.learned.saved import Spread
from sinew_rewards.learned.trajectory import Trajectory

GREY = 128  # of 255: what a camera shows that shows nothing
JUDGED_BY = ("comparison_accuracy", "rank_correlation", "pair_accuracy")  # the first that is known counts
ENOUGH = 100  # comparisons, below which one of them decides too much
Figures = Mapping[str, float]
Measure = Callable[[Sequence[Trajectory]], Figures]


@dataclass(frozen=True, slots=True)
class Ablation:
    """Something that a reward looks at, and what its absence costs."""

    what: str  # a feature or a camera
    cost: float  # drop of the figure that it is judged by
    figures: Mapping[str, float]  # without it


@dataclass(frozen=True, slots=True)
class Part:
    """Some columns of the features, and the values that stand in for them."""

    name: str
    columns: slice
    instead: FloatArray  # (columns,)


def feature_parts(names: Sequence[str], spreads: Sequence[Spread]) -> list[Part]:
    """Return each feature by itself, replaced by its mean in training."""
    return [
        Part(name, slice(i, i + 1), np.array([spread.mean]))
        for i, (name, spread) in enumerate(zip(names, spreads, strict=True))
    ]


def camera_parts(names: Sequence[str], config: FeatureConfig, hardware: Hardware) -> list[Part]:
    """Return each camera's features, replaced by those of a grey picture.

    Empty where some features of the cameras are left out, so that their places are not known.
    """
    cameras = config.cameras or tuple(hardware.cameras)
    network = picture_network(config)
    size = network.features
    if len(names) != size * len(cameras):
        return []
    grey = np.full((1, network.size, network.size, 3), GREY, np.uint8)
    instead = np.asarray(network(grey)[0], np.float64)
    return [Part(camera, slice(i * size, (i + 1) * size), instead) for i, camera in enumerate(cameras)]


def ablations(parts: Sequence[Part], trajectories: Sequence[Trajectory], measure: Measure) -> list[Ablation]:
    """Return what each part is worth, the dearest first."""
    if not parts:
        return []
    whole = measure(trajectories)
    by = judged_by(whole)
    if by is None:
        return []
    found = []
    for part in parts:
        figures = measure([_without(trajectory, part) for trajectory in trajectories])
        found.append(Ablation(part.name, whole[by] - figures[by], figures))
    return sorted(found, key=lambda ablation: -ablation.cost)


def judged_by(figures: Figures) -> str | None:
    """Return the figure that ablations are judged by; few comparisons are left to the other figures."""
    few = figures.get("comparisons", 0) < ENOUGH and "rank_correlation" in figures
    return next((name for name in JUDGED_BY[int(few) :] if name in figures), None)


def _without(trajectory: Trajectory, part: Part) -> Trajectory:
    features = trajectory.features.copy()
    features[:, part.columns] = part.instead
    return replace(trajectory, features=features)
