"""How episodes and parts of them ended: what raters said of them, else what the episode itself says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Feedback, Mark, Rating

from sinew_rewards.learned.trajectory import Episodes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A clip and what came of it."""

    clip: Clip
    features: FloatArray  # (T, d)
    value: float | None  # 0 failure, 1 success, the mean over raters; None: nobody knows

    @property
    def good(self) -> bool:
        """Whether it is a success in most eyes."""
        return self.value is not None and self.value > 0.5

    @property
    def disputed(self) -> bool:
        """Whether as many call it a success as a failure."""
        return self.value == 0.5


def outcomes_of(
    episodes: Episodes, feedback: Sequence[Feedback], kinds: tuple[type, ...] = (Mark,)
) -> tuple[Outcome, ...]:
    """Return the outcome of every clip that was marked (or, if a kind, rated), and of every other episode.

    Each rater's last word on a clip counts, and of all raters the mean. ConfigError for feedback on an
    episode that is not here, no episode at all, and episodes with different features.
    """
    said = _said(feedback, kinds)
    told = [Outcome(clip, _rows(episodes, clip), value) for clip, value in said.items()]
    named = {clip.episode for clip in said}
    rest = [item for item in episodes.trajectories if item.name not in named]
    for item in rest:
        clip = Clip(item.name)
        told.append(
            Outcome(clip, _rows(episodes, clip), None if item.success is None else float(item.success))
        )
    sizes = sorted({item.features.shape[1] for item in told})
    if len(sizes) != 1:
        raise ConfigError(f"expected episodes, all with the same number of features, got {sizes or 'none'}.")
    return tuple(told)


def _rows(episodes: Episodes, clip: Clip) -> FloatArray:
    return np.asarray(episodes.features(clip), np.float64)


def _said(feedback: Sequence[Feedback], kinds: tuple[type, ...]) -> Mapping[Clip, float]:
    """Return the mean over raters of the last that each said of a clip."""
    last: dict[Clip, dict[str, float]] = defaultdict(dict)
    for entry in sorted(feedback, key=lambda entry: entry.when):
        if isinstance(entry.said, kinds) and isinstance(entry.said, Mark | Rating):
            said = entry.said
            last[said.clip][entry.who] = float(said.success) if isinstance(said, Mark) else said.score
    return {clip: float(np.mean([*by_rater.values()])) for clip, by_rater in last.items()}
