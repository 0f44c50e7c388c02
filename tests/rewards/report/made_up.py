"""Made-up episodes of which everything is known: how far along each step is, and what people would say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sinew_data.feedback import log
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Clip, Comparison, Feedback
from sinew_data.rewards_beside import Estimates
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.episode_file import save_episodes
from sinew_rewards.report.standing import Case

from tests.rewards.tiny_learned import SIZE

ROWS, PERIOD = 30, 50_000_000  # ns


def trajectory(i: int, *, success: bool | None = True, known: bool = True, tree: str = "") -> Trajectory:
    """Return an episode whose first feature is the true reward; the others are noise."""
    rng = np.random.default_rng(i)
    along = np.linspace(0.0, 1.0, ROWS) * (1.0 if success else 0.4)
    features = rng.normal(size=(ROWS, SIZE)).astype(np.float32) / 10
    features[:, 0] = along
    return Trajectory(
        name=f"episode-{i:02d}",
        stamps=1_000_000_000 + PERIOD * np.arange(ROWS, dtype=np.int64),
        features=features,
        success=success,
        truth=along - 1 if known else None,
        progress=along if known else None,
        tree=tree,
    )


def trajectories(count: int = 16, **options: bool) -> list[Trajectory]:
    """Return episodes, every second one a failure."""
    return [trajectory(i, success=i % 2 == 0, **options) for i in range(count)]


def clip(item: Trajectory, begin: int, end: int) -> Clip:
    return Clip(item.name, int(item.stamps[begin]), int(item.stamps[end]))


def feedback(items: Sequence[Trajectory], count: int = 200, seed: int = 0) -> list[Feedback]:
    """Return what somebody says who sees how far along clips are."""
    rng = np.random.default_rng(seed)
    entries = []
    for i in range(count):
        first, second = (items[k] for k in rng.choice(len(items), 2, replace=False))
        a, b = rng.integers(0, ROWS - 5, 2)
        better = first.features[a : a + 5, 0].sum() > second.features[b : b + 5, 0].sum()
        said = Comparison(clip(first, a, a + 4), clip(second, b, b + 4), float(better))
        entries.append(make_entry(said, "anna", 1, "person", index=i))
    return entries


def write(folder: Path, count: int = 16, comparisons: int = 200) -> tuple[Path, Path]:
    """Write a file of episodes and a log about them."""
    items = trajectories(count)
    episodes, entries = folder / "episodes.safetensors", folder / "log.jsonl"
    save_episodes(episodes, items, task="push", robot="so101")
    log.append(entries, feedback(items, comparisons))
    return episodes, entries


def said(item: Trajectory, value: np.ndarray, **columns: np.ndarray) -> Case:
    """Return an episode with what a reward says of it."""
    nothing = np.full(len(item.stamps), np.nan)
    fields = {name: columns.get(name, nothing) for name in ("success", "progress", "uncertainty")}
    terms = {name: column for name, column in columns.items() if name not in fields}
    return Case(item, Estimates(item.stamps, np.asarray(value, np.float64), **fields, terms=terms))
