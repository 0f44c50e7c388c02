"""A rater that is a script: it answers questions about clips from what is known, with stated flaws."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from sinew_core.errors import ConfigError
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import (
    Clip,
    Comparison,
    Feedback,
    Mark,
    Ranking,
    Rating,
    Said,
    Source,
    Triplet,
)

from sinew_rewards.learned.features import KeypointFeatures
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.raters.judging import Advantage, Judge
from sinew_rewards.raters.rater_config import RaterConfig

__all__ = ["RaterConfig", "ScriptedRater", "as_feedback"]


class ScriptedRater:
    """Judges by `truth`, or by a taste of its own; who and seed decide every flaw.

    `names` are those of the features (d), for a taste; `advantage` returns (T,) for basis 'regret'.
    Every question takes as many draws, so that a flaw more leaves the other flaws where they were.
    """

    def __init__(
        self,
        config: RaterConfig,
        who: str,
        seed: int,
        *,
        names: Sequence[str] = KeypointFeatures.names,
        advantage: Advantage | None = None,
    ) -> None:
        self._config, self.who = config, who
        self._judge = Judge(config, names, advantage)
        self._random = np.random.default_rng([seed, zlib.crc32(who.encode())])

    def compare(self, episodes: Episodes, first: Clip, second: Clip) -> Comparison | None:
        """Say which of two clips is better; None where it is skipped."""
        skipped, flipped, chance = self._draws()
        better = self._judge.worth(episodes, first) - self._judge.worth(episodes, second)
        if skipped:
            return None
        if abs(better) <= self._config.tie:
            return Comparison(first, second, 0.5)
        if self._config.temperature > 0:
            better += self._config.temperature * _logit(chance)
        return Comparison(first, second, float((better > 0) != flipped))

    def rank(self, episodes: Episodes, clips: Sequence[Clip]) -> Ranking | None:
        """Order clips, the best first (Plackett-Luce); None where skipped, or where all are alike.

        A clip as good as the one above it is left out; each two neighbours are swapped as often as an
        answer is turned round.
        """
        skipped, _, _ = self._draws()
        swaps = self._random.random(len(clips)) < self._config.noise
        luck = self._config.temperature * self._random.gumbel(size=len(clips))
        worth = np.array([self._judge.worth(episodes, clip) for clip in clips]) + luck
        order = np.argsort(-worth, kind="stable")
        apart = [b for a, b in pairwise(order) if worth[a] - worth[b] > self._config.tie]
        kept = [clips[i] for i in (*order[:1], *apart)]
        if skipped or len(kept) < 2:
            return None
        for i in range(len(kept) - 1):
            if swaps[i]:
                kept[i], kept[i + 1] = kept[i + 1], kept[i]
        return Ranking(tuple(kept))

    def triplet(self, episodes: Episodes, a: Clip, b: Clip, c: Clip) -> Triplet | None:
        """Say which two of three clips are most alike in what counts; None where skipped or undecided."""
        skipped, flipped, chance = self._draws()
        luck = self._config.temperature * self._random.gumbel(size=3)
        seen = [self._judge.parts(episodes, clip) for clip in (a, b, c)]
        pairs = list(combinations(range(3), 2))
        apart = np.array([np.linalg.norm(seen[i] - seen[j]) for i, j in pairs]) - luck
        nearest, next_one, last = np.argsort(apart, kind="stable")
        if skipped or apart[next_one] - apart[nearest] <= self._config.tie:
            return None
        if flipped:
            nearest = next_one if chance < 0.5 else last
        i, j = pairs[nearest]
        clips = (a, b, c)
        return Triplet((clips[i], clips[j]), clips[3 - i - j])

    def rate(self, episodes: Episodes, clip: Clip) -> Rating | None:
        """Score a clip by the share of the episodes that it is better than, step for step.

        None where skipped. A turned answer is 1 minus the score.
        """
        skipped, flipped, chance = self._draws()
        rows = episodes.rows(clip)
        luck = self._config.temperature * _logit(chance) / (rows.stop - rows.start)
        worth = self._judge.worth_per_step(episodes, clip) + luck
        others = [Clip(other.name) for other in episodes.trajectories]
        below = np.array([worth - self._judge.worth_per_step(episodes, other) for other in others])
        score = float(np.where(np.abs(below) <= self._config.tie, 0.5, below > 0).mean())
        return None if skipped else Rating(clip, 1.0 - score if flipped else score)

    def mark(self, episodes: Episodes, clip: Clip) -> Mark | None:
        """Say whether a clip shows the task done: it did succeed, and the clip holds the episode's end."""
        skipped, flipped, _ = self._draws()
        trajectory = episodes.of(clip)
        if trajectory.success is None:
            raise ConfigError(f"episode '{trajectory.name}': whether it succeeded is not known.")
        done = trajectory.success and episodes.rows(clip).stop == len(trajectory.stamps)
        return None if skipped else Mark(clip, done != flipped)

    def _draws(self) -> tuple[bool, bool, float]:
        """Return whether a question is skipped, whether its answer is turned, and a chance in (0, 1)."""
        skip, flip, chance = self._random.random(3)
        return bool(skip < self._config.skip), bool(flip < self._config.noise), float(chance)


def as_feedback(said: Said, who: str, when: int, source: Source = "script", index: int = 0) -> Feedback:
    """Return an entry of the log, `when` in ns since 1970; its id follows from what it says.

    `index` tells apart what would otherwise be one entry: the same said twice at one moment.
    """
    return make_entry(said, who, when, source, index)


def _logit(chance: float) -> float:
    """Return a draw of the logistic distribution, which makes a threshold Bradley-Terry's choice."""
    chance = min(max(chance, 1e-12), 1 - 1e-12)
    return float(np.log(chance) - np.log1p(-chance))
