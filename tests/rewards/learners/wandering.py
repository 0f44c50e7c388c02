"""Episodes that wander through a few features, a truth that is known, and answers that go by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Comparison, Feedback
from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.scoring import Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.raters.scripted import as_feedback

SIZE = 4
PERIOD = 50_000_000  # ns


def truth_of(features: FloatArray) -> FloatArray:
    return features[:, 0] - 0.5 * np.tanh(2 * features[:, 1])


def wandering(count: int, seed: int, rows: int = 24, start: str = "e") -> Episodes:
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        features = rng.normal(size=SIZE) + 0.1 * np.cumsum(rng.normal(size=(rows, SIZE)), 0)
        stamps = np.arange(rows, dtype=np.int64) * PERIOD
        found.append(Trajectory(f"{start}{i}", stamps, features.astype(np.float32), truth=truth_of(features)))
    return Episodes(found)


def clip(episodes: Episodes, rng: np.random.Generator, rows: tuple[int, int]) -> Clip:
    item = episodes.trajectories[int(rng.integers(len(episodes.trajectories)))]
    length = int(rng.integers(rows[0], rows[1] + 1))
    start = int(rng.integers(len(item.stamps) - length + 1))
    return Clip(item.name, int(item.stamps[start]), int(item.stamps[start + length - 1]))


def worth(episodes: Episodes, part: Clip) -> float:
    truth = episodes.of(part).truth
    assert truth is not None
    return float(truth[episodes.rows(part)].sum())


def told(
    episodes: Episodes,
    count: int,
    seed: int,
    *,
    flipped: float = 0.0,
    rows: tuple[int, int] = (8, 8),
    tie: float = 0.0,
    judged: Callable[[Episodes, Clip], float] = worth,
) -> list[Comparison]:
    rng = np.random.default_rng(seed)
    said = []
    for _ in range(count):
        a, b = clip(episodes, rng, rows), clip(episodes, rng, rows)
        better = judged(episodes, a) - judged(episodes, b)
        preferred = 0.5 if abs(better) < tie else float((better > 0) != (rng.random() < flipped))
        said.append(Comparison(a, b, preferred))
    return said


def entries(said: list[Comparison], who: str = "anna") -> list[Feedback]:
    return [as_feedback(each, who, i, index=i) for i, each in enumerate(said)]


def values(scorer: Scorer, episodes: Episodes) -> dict[str, FloatArray]:
    return {item.name: score_all(scorer, item.features) for item in episodes.trajectories}


def accuracy(scorer: Scorer, episodes: Episodes, said: list[Comparison]) -> float:
    known = values(scorer, episodes)
    sums = [
        [known[part.episode][episodes.rows(part)].sum() for part in (each.first, each.second)]
        for each in said
    ]
    return float(
        np.mean([(a > b) == (each.preferred > 0.5) for (a, b), each in zip(sums, said, strict=True)])
    )


def members(network: Ensemble, episodes: Episodes) -> FloatArray:
    """Return the values (members, rows) of all rows."""
    return network.of(np.concatenate([item.features for item in episodes.trajectories]))[..., 0]
