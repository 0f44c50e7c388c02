"""Several objectives, each kept as it is, and one number of them: their weighted sum, or their worst lack.

After Roijers et al. 2013, "A survey of multi-objective sequential decision-making" (linear), and Van
Moffaert et al. 2013, "Scalarized multi-objective reinforcement learning" (Chebyshev, which also reaches
compromises that no weighted sum prefers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import make_member

PREFIX = "vector."


@dataclass(frozen=True, slots=True)
class Objective:
    """One of the rewards."""

    source: Mapping[str, Any]  # the plugin that grades it
    weight: float = 1.0  # as it is given: weights are not made to sum to 1
    ideal: float = 0.0  # the best value there is, in its units; of the Chebyshev form alone

    def __post_init__(self) -> None:
        """Check the weight."""
        if self.weight < 0:
            raise ValueError(f"weight: expected at least 0, got {self.weight}.")


@dataclass(frozen=True, slots=True)
class Config:
    """The objectives by name, in the order in which they are to stand, and what is made of them."""

    objectives: Mapping[str, Objective]
    scalarisation: Literal["linear", "chebyshev"] = "linear"

    def __post_init__(self) -> None:
        """Check names and weights."""
        bad = [name for name in self.objectives if not name or "." in name]
        if bad or not self.objectives:
            raise ValueError(f"objectives: expected at least one, names without a dot, got {bad or 'none'}.")
        if not any(each.weight > 0 for each in self.objectives.values()):
            raise ValueError("objectives: expected one with a weight above 0.")


class Vector:
    """Values: sum of weight * value, or minus the greatest weight * |ideal - value|.

    Of objectives with weight 0 only the terms are used. Success is the least and progress the weighted mean
    of those of the objectives, where all of them say it. Terms: `vector.NAME` for each objective, in its
    own units and in the order of the configuration, with its terms under `vector.NAME.`.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._scalarisation, self._objectives = config.scalarisation, tuple(config.objectives.values())
        self._members = [
            make_member(each.source, PREFIX + name, f"vector: objectives.{name}: source", hardware, task)
            for name, each in config.objectives.items()
        ]
        self.needs_frames = needs_frames(*self._members)

    def reset(self, task: Task) -> None:
        """Begin an episode of every objective."""
        for member in self._members:
            member.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the scalar with the vector among its terms."""
        said = [member.estimate(observation) for member in self._members]
        terms: dict[str, float] = {}
        for member, each in zip(self._members, said, strict=True):
            terms |= member.terms(each)
        counted = [pair for pair in zip(self._objectives, said, strict=True) if pair[0].weight > 0]
        success = _known([each.success for _, each in counted])
        progress = _known([each.progress for _, each in counted])
        weights = [objective.weight for objective, _ in counted]
        return RewardEstimate(
            observation.stamp,
            self._scalar(counted),
            None if success is None else min(success),
            None if progress is None else float(np.clip(np.average(progress, weights=weights), 0.0, 1.0)),
            self._doubt(counted),
            terms,
        )

    def _scalar(self, counted: Sequence[tuple[Objective, RewardEstimate]]) -> float:
        if self._scalarisation == "linear":
            return float(sum(objective.weight * each.value for objective, each in counted))
        return -float(max(objective.weight * _lack(objective, each) for objective, each in counted))

    def _doubt(self, counted: Sequence[tuple[Objective, RewardEstimate]]) -> float | None:
        stated = [o.weight * each.uncertainty for o, each in counted if each.uncertainty is not None]
        if not stated:
            return None
        return float(np.linalg.norm(stated)) if self._scalarisation == "linear" else float(max(stated))


def objectives_of(estimate: RewardEstimate) -> dict[str, float]:
    """Return the objectives of a `Vector`'s estimate by name, for a learner that wants them apart."""
    found = {
        name.removeprefix(PREFIX): term for name, term in estimate.terms.items() if name.startswith(PREFIX)
    }
    return {name: term for name, term in found.items() if "." not in name}


def _lack(objective: Objective, estimate: RewardEstimate) -> float:
    return abs(objective.ideal - float(estimate.value))


def _known(shares: Sequence[float | None]) -> list[float] | None:
    known = [share for share in shares if share is not None]
    return known if len(known) == len(shares) else None
