"""What the members of a learned reward think that clips are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

from sinew_rewards.asking.material import Candidate, Material
from sinew_rewards.learned.scoring import Score, Scorer
from sinew_rewards.learned.trajectory import Features

MEMBER = "member_"  # how terms of an ensemble's members begin
DRAWS = 8  # members made up for a reward that says how uncertain it is and has none


def clip_returns(
    weights: Path, scorer: Scorer, materials: Sequence[Material], clips: Sequence[Candidate]
) -> FloatArray:
    """Return the sum (members, clips) of each member's values over each clip."""
    rng = np.random.default_rng(0)
    sums = [np.cumsum(_values(weights, scorer, material.features, rng), axis=1) for material in materials]
    sums = [np.pad(each, ((0, 0), (1, 0))) for each in sums]
    return np.stack([sums[c.episode][:, c.end] - sums[c.episode][:, c.begin] for c in clips], axis=1)


def _values(weights: Path, scorer: Scorer, features: Features, rng: np.random.Generator) -> FloatArray:
    """Return each member's values (members, T); of a reward without members, draws from its uncertainty."""
    scorer.reset()
    scores = [scorer.score(np.asarray(row, np.float64)) for row in features]
    if not scores:
        return np.zeros((1, 0))
    if any(name.startswith(MEMBER) for name in scores[0].terms):
        return np.array([_members(score) for score in scores]).T
    spread = [score.uncertainty for score in scores]
    if any(item is None for item in spread):
        raise ConfigError(
            f"{weights}: says neither what its members think nor how uncertain it is; ask with --by random."
        )
    values = np.array([score.value for score in scores])
    return values + rng.normal(size=(DRAWS, 1)) * np.array(spread, np.float64)


def _members(score: Score) -> list[float]:
    return [value for name, value in score.terms.items() if name.startswith(MEMBER)]
