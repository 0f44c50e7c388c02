"""A success classifier that errs at known rates, for finding out what a learner can stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.success import geometric


@dataclass(frozen=True, slots=True)
class Config:
    """How often it errs, in each observation by itself.

    RoboFuME (arXiv 2310.15145) measured, as false positives and false negatives of its classifiers:
    0.063 and 0.809 (covering), 0.012 and 0.598 (folding), 0.061 and 0.813 (pot).
    """

    false_positive: float = 0.0
    false_negative: float = 0.0
    silent: float = 0.0  # how often it does not answer
    seed: int = 0
    source: Mapping[str, Any] = field(default_factory=geometric)  # the plugin that is right

    def __post_init__(self) -> None:
        """Check that rates are rates."""
        for name in ("false_positive", "false_negative", "silent"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}.")


class NoisySuccess:
    """Another model's success with errors, the same each time; values 0 for success and -1 otherwise."""

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config = config
        context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras}
        self._source = build(config.source, RewardModel, "noisy_success: source", **context)
        self.needs_frames = needs_frames(self._source)
        self._rng = np.random.default_rng(config.seed)

    def reset(self, task: Task) -> None:
        """Begin an episode, with the first of the errors again."""
        self._source.reset(task)
        self._rng = np.random.default_rng(self._config.seed)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the verdict; terms: success as it is said, and `erred`."""
        c, right = self._config, self._source.estimate(observation)
        draw, speaks = self._rng.uniform(), self._rng.uniform() >= c.silent
        if right.success is None or not speaks:
            return RewardEstimate(observation.stamp, -1.0, uncertainty=0.5, terms={"success": 0.0})
        true = right.success >= 0.5
        said = draw >= c.false_negative if true else draw < c.false_positive
        terms = {"success": float(said), "erred": float(said != true)}
        return RewardEstimate(observation.stamp, 0.0 if said else -1.0, float(said), terms=terms)
