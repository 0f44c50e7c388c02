"""A reward as the chance of being preferred to a base policy's: bounded, and centred on what that one gets.

After Fu et al. 2025, "Reward Shaping to Mitigate Reward Hacking in RLHF" (PAR): the mean over references of
sigmoid(reward - reference), which is the probability of preference under the Bradley-Terry model. It grows
fast at first and slowly in the end, where learned rewards are least to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member
from sinew_rewards.wrappers.references import Compared, check_count, load_references

STEEPEST = 30.0  # logits beyond which a sigmoid is 0 or 1 for rounding


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, and what it is compared with.

    `value` compares each observation's value with values that the base policy got; `return` the sum of
    values so far with the returns of its whole episodes (wrap it in `delta` to pay each step its part).
    """

    source: Mapping[str, Any]  # the plugin that is compared
    compared: Compared = "value"
    references: tuple[float, ...] = ()  # of the base policy, up to 10, in the source's units
    file: Path | None = None  # that holds them instead, see `References`
    scale: float = 1.0  # of the source's units that are one logit

    def __post_init__(self) -> None:
        """Check that there is one set of references, and the scale."""
        if (self.file is None) == (not self.references):
            raise ValueError("expected either `references` or a `file` that holds them.")
        if self.references:
            check_count(self.references)
        if self.scale <= 0:
            raise ValueError(f"scale: expected above 0, got {self.scale}.")


class PreferenceAsReward:
    """Values in (0, 1), 0.5 at a single reference; success and progress are the source's.

    Terms: `compared`, the value or return that is compared. A mean value that stays above 0.9 says that
    there is no more to be learnt from these references.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        name = "preference_as_reward"
        self._source = make_member(config.source, name, f"{name}: source", hardware, task)
        self.needs_frames = self._source.needs_frames
        found = config.references
        if config.file is not None:
            found = load_references(config.file, config.compared, config.source)
        self._references = np.array(found)
        self._total = 0.0
        self._doubt: float | None = None

    def reset(self, task: Task) -> None:
        """Begin an episode, whose return is 0."""
        self._source.reset(task)
        self._total, self._doubt = 0.0, None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the chance of being preferred."""
        c, said = self._config, self._source.estimate(observation)
        compared, doubt = said.value, said.uncertainty
        if c.compared == "return":
            compared, doubt = self._so_far(said)
        chances = sigmoid((compared - self._references) / c.scale)
        slope = float(np.mean(chances * (1 - chances))) / c.scale
        return RewardEstimate(
            observation.stamp,
            float(chances.mean()),
            said.success,
            said.progress,
            None if doubt is None else min(slope * doubt, 0.5),
            {"compared": float(compared), **self._source.terms(said)},
        )

    def _so_far(self, said: RewardEstimate) -> tuple[float, float | None]:
        """Return the return with this estimate, and its uncertainty, None while none was ever stated."""
        self._total += said.value
        if said.uncertainty is not None:  # errors of one reward do not average out, so they add up
            self._doubt = said.uncertainty + (0.0 if self._doubt is None else self._doubt)
        return self._total, self._doubt


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return probabilities above 0 and below 1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -STEEPEST, STEEPEST))))
