"""The stated flaws of a scripted rater."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sinew_core.errors import ConfigError

SHARES = ("noise", "skip", "myopia")


@dataclass(frozen=True, slots=True)
class RaterConfig:
    """How a scripted rater judges, and how it errs (after B-Pref, Lee et al. 2021).

    Without any of it, the rater answers every question by the undiscounted sum of `truth`.
    """

    noise: float = 0.0  # share of answers that are turned round
    temperature: float = 0.0  # 0: noiseless; above: Bradley-Terry on the difference over the temperature
    myopia: float = 0.0  # 0 to 1; a step k steps before the clip's end weighs (1 - myopia) ** k
    skip: float = 0.0  # share of questions not answered
    tie: float = 0.0  # difference up to which two clips are equally good
    taste: Mapping[str, float] = field(default_factory=dict)  # weights of features, in place of `truth`
    basis: Literal["return", "regret"] = "return"  # regret: judged by the sum of advantages

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"rater: expected {name} from 0 to 1, got {getattr(self, name)}.")
        for name in ("temperature", "tie"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"rater: expected {name} of at least 0, got {getattr(self, name)}.")
        if self.basis not in ("return", "regret"):
            raise ConfigError(f"rater: expected the basis 'return' or 'regret', got '{self.basis}'.")
        if self.taste and self.basis == "regret":
            raise ConfigError("rater: a taste is judged by its return; leave out `taste` or basis 'regret'.")
