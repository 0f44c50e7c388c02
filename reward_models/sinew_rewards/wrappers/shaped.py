"""A reward with the change of a potential on top, which guides without changing what is best.

After Ng, Harada and Russell 1999, "Policy invariance under reward transformations": gamma Phi(s') - Phi(s)
with Phi = 0 once the task is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import Member, make_member, reading, together


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward is shaped, and by what.

    `discount` is that of one observation: where a learner decides every n control periods with discount g,
    it is g ** (1 / n).
    """

    source: Mapping[str, Any]  # the plugin whose reward it is
    potential: Mapping[str, Any] | None = None  # the plugin that guides; none: the source itself
    of: Literal["progress", "value"] = "progress"  # what of it is the potential
    weight: float = 1.0  # units of the source's value for one unit of potential
    discount: float = 0.99
    done_at: float = 0.5  # probability of success, by the source, from which on the task is done

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0.0 < self.discount <= 1.0:
            raise ValueError(f"discount: expected 0 < discount <= 1, got {self.discount}.")
        if not 0.0 < self.done_at <= 1.0:
            raise ValueError(f"done_at: expected 0 < probability <= 1, got {self.done_at}.")
        if self.weight < 0:
            raise ValueError(f"weight: expected at least 0, got {self.weight}.")


class Shaped:
    """Values: the source's, plus weight * (gamma Phi(s') - Phi(s)), nothing on the first observation.

    Added up with their discounts, what is on top of an episode is gamma^T Phi(end) - Phi(start), whatever
    happened between. A potential that is not known keeps its last value, 0 before any, and `uncertainty`
    then counts half the weight. Success and progress are the source's. Terms: `shaping`, `potential`.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        self._source = make_member(config.source, "shaped", "shaped: source", hardware, task)
        self._guide: Member | None = None
        if config.potential is not None:
            name, where = "shaped.potential", "shaped: potential"
            self._guide = make_member(config.potential, name, where, hardware, task)
        self.needs_frames = needs_frames(self._source, self._guide)
        self._known = 0.0  # the potential as it was last known
        self._before: float | None = None  # Phi of the last observation

    def reset(self, task: Task) -> None:
        """Begin an episode, in which nothing is known yet."""
        self._source.reset(task)
        if self._guide is not None:
            self._guide.reset(task)
        self._known, self._before = 0.0, None

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the shaped reward."""
        c, said = self._config, self._source.estimate(observation)
        terms = self._source.terms(said)
        guiding = said
        if self._guide is not None:
            guiding = self._guide.estimate(observation)
            terms |= self._guide.terms(guiding)
        found = reading(guiding, c.of)
        potential = self._potential(found, done=said.success is not None and said.success >= c.done_at)
        step = 0.0 if self._before is None else c.discount * potential - self._before
        self._before = potential
        doubt = together(said.uncertainty, c.weight / 2 if found is None else None)
        terms |= {"shaping": c.weight * step, "potential": potential}
        value = float(said.value) + c.weight * step
        return RewardEstimate(observation.stamp, value, said.success, said.progress, doubt, terms)

    def _potential(self, found: float | None, *, done: bool) -> float:
        if found is not None:
            self._known = found
        return 0.0 if done else self._known
