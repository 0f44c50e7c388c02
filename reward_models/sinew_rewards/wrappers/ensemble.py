"""Several rewards as one: their mean, their least, or their mean less their disagreement.

After Coste et al. 2024, "Reward Model Ensembles Help Mitigate Overoptimization" (mean, worst case, mean
minus variance), and Yan et al. 2024, "Reward-Robust RLHF in LLMs" (the robust mix).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray, Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member
from sinew_rewards.wrappers.statistics import Statistics, statistics_of

Rule = Literal["mean", "worst", "minus_variance", "robust_mix"]


@dataclass(frozen=True, slots=True)
class Config:
    """Whose rewards, and what is made of them.

    Members that differ in units must be standardised before anything but their mean is taken: give their
    statistics on held-out episodes, one for each in the same order (`fit` fills them in). Values are then
    in standard deviations.
    """

    members: tuple[Mapping[str, Any], ...]  # plugins, at least two
    rule: Rule = "minus_variance"
    variance_weight: float = 0.5  # lambda of minus_variance, in 1 / units of the value
    nominal_weight: float = 0.6  # lambda of robust_mix: of the least uncertain member; the rest the least
    statistics: tuple[Statistics, ...] = ()  # none: members are taken as they are

    def __post_init__(self) -> None:
        """Check counts and weights."""
        if len(self.members) < 2:
            raise ValueError(f"members: expected at least 2 rewards, got {len(self.members)}.")
        if self.statistics and len(self.statistics) != len(self.members):
            raise ValueError(
                f"statistics: expected one for each of the {len(self.members)} members, or none, got "
                f"{len(self.statistics)}."
            )
        if self.variance_weight < 0:
            raise ValueError(f"variance_weight: expected at least 0, got {self.variance_weight}.")
        if not 0.0 <= self.nominal_weight <= 1.0:
            raise ValueError(f"nominal_weight: expected 0 to 1, got {self.nominal_weight}.")


class Ensemble:
    """Values by the rule; uncertainty is the members' disagreement together with their own.

    Success and progress are said where all members say them: the mean of what they say by the rule `mean`,
    the least by the others. Terms: mean, least, spread (of the values as they are combined, unbiased), each
    member's value `ensemble.I` in its own units with its terms under `ensemble.I.`, and `standard.I`, that
    value in standard deviations, where there are statistics.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._members = [
            make_member(spec, f"ensemble.{i}", f"ensemble: members[{i}]", hardware, task)
            for i, spec in enumerate(config.members)
        ]
        self.needs_frames = needs_frames(*self._members)

    def reset(self, task: Task) -> None:
        """Begin an episode of every member."""
        for member in self._members:
            member.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return what the members' estimates come to."""
        said = [member.estimate(observation) for member in self._members]
        raw = np.array([each.value for each in said], np.float64)
        doubts = np.array([0.0 if each.uncertainty is None else each.uncertainty for each in said])
        values, doubts = self._standardised(raw, doubts)
        spread = float(values.std(ddof=1))
        terms = {"mean": float(values.mean()), "least": float(values.min()), "spread": spread}
        if self._config.statistics:
            terms |= {f"standard.{i}": float(value) for i, value in enumerate(values)}
        for member, each in zip(self._members, said, strict=True):
            terms |= member.terms(each)
        return RewardEstimate(
            observation.stamp,
            combine(values, doubts, self._config),
            success=self._agreed([each.success for each in said]),
            progress=self._agreed([each.progress for each in said]),
            uncertainty=float(np.hypot(spread, np.sqrt(np.mean(np.square(doubts))))),
            terms=terms,
        )

    def _standardised(self, values: FloatArray, doubts: FloatArray) -> tuple[FloatArray, FloatArray]:
        found = self._config.statistics
        if not found:
            return values, doubts
        stds = np.array([each.std for each in found])
        return (values - np.array([each.mean for each in found])) / stds, doubts / stds

    def _agreed(self, shares: Sequence[float | None]) -> float | None:
        known = [share for share in shares if share is not None]
        if len(known) < len(shares):
            return None
        return float(np.mean(known)) if self._config.rule == "mean" else float(min(known))


def combine(values: FloatArray, doubts: FloatArray, config: Config) -> float:
    """Return the members' values (m,) as one; `doubts` (m,) are their uncertainties, 0 where none is stated.

    Of equally uncertain members the first is the nominal one.
    """
    if config.rule == "mean":
        return float(values.mean())
    if config.rule == "worst":
        return float(values.min())
    if config.rule == "minus_variance":
        return float(values.mean() - config.variance_weight * values.var(ddof=1))
    nominal = values[int(doubts.argmin())]
    return float(config.nominal_weight * nominal + (1.0 - config.nominal_weight) * values.min())


def fit(config: Config, values: Sequence[npt.ArrayLike]) -> Config:
    """Return the configuration with the statistics of each member's values (n,) on held-out episodes.

    Raises ConfigError for another number of members, or one whose values do not change.
    """
    if len(values) != len(config.members):
        raise ConfigError(
            f"ensemble: expected the values of {len(config.members)} members, got those of {len(values)}."
        )
    found = [statistics_of(each, f"ensemble: members[{i}]") for i, each in enumerate(values)]
    return replace(config, statistics=tuple(found))
