"""A scorer whose two members like opposite directions of one feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sinew_core.types import FloatArray
from sinew_rewards.learned.scoring import Arrays, Score


class DoubtfulScorer:
    """Scores by the feature `speed` (13)."""

    def reset(self) -> None:
        pass

    def score(self, features: FloatArray) -> Score:
        liked = float(features[13])
        return Score(0.0, terms={"member_0": liked, "member_1": -liked})

    def settings(self) -> Mapping[str, Any]:
        return {}

    def arrays(self) -> Arrays:
        return {"nothing": np.zeros(1, np.float32)}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> Self:
        return cls()
