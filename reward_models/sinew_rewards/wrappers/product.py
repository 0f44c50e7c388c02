"""Progress alone pays, and soft faults only take a share of it: a simple reward with nothing to trade off.

After Jaeger et al. 2025, "CaRL: Learning Scalable Planning Policies with Simple Rewards": the progress made
times the product of soft factors; a hard fault ends all pay. Standing still is worth nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.member import Member, make_member, reading, together
from sinew_rewards.wrappers.ramp import check_ramp, ramp


@dataclass(frozen=True, slots=True)
class Factor:
    """A soft fault: `floor` at the worst reading and beyond, 1 at the best, straight between."""

    worst: float  # reading
    best: float
    read: str = "value"  # value, success, progress, uncertainty, or a term's name
    source: Mapping[str, Any] | None = None  # the plugin that is read; none: the one of the progress
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ramp(self.worst, self.best, "worst and best")
        if not 0.0 <= self.floor < 1.0:
            raise ValueError(f"floor: expected 0 <= floor < 1, got {self.floor}.")


@dataclass(frozen=True, slots=True)
class Fail:
    """A hard fault: a reading beyond its limit ends all pay of the episode."""

    limit: float
    read: str = "value"
    source: Mapping[str, Any] | None = None  # as above
    side: Literal["above", "below"] = "above"  # where the fault lies


@dataclass(frozen=True, slots=True)
class Config:
    """Whose progress pays, and which faults there are, by name."""

    progress: Mapping[str, Any]  # the plugin whose progress it is
    factors: Mapping[str, Factor] = field(default_factory=dict)
    fails: Mapping[str, Fail] = field(default_factory=dict)
    scale: float = 1.0  # what the whole way pays; 100 in the paper

    def __post_init__(self) -> None:
        """Check the scale."""
        if self.scale <= 0:
            raise ValueError(f"scale: expected above 0, got {self.scale}.")


class Product:
    """Values: scale * (progress beyond the best so far) * product of factors; after a hard fault 0.

    So they are at least 0 and add up to at most scale, and going back and forth gains nothing. The first
    progress that is known is where the way begins. Progress that is unknown pays nothing, and a factor that
    cannot be read counts as its floor; both are said by `uncertainty`. Success is that of the progress,
    0 after a hard fault. Terms: `gained` (of the progress), `failed`, `unread` (how many faults could not
    be read), `factor.NAME`, and all that was read under `product.`.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        def make(spec: Mapping[str, Any] | None, key: str) -> Member | None:
            where = f"product: {key}"
            return None if spec is None else make_member(spec, f"product.{key}", where, hardware, task)

        self._config = config
        self._progress = make_member(config.progress, "product.progress", "product: progress", hardware, task)
        faults = (("factors", config.factors), ("fails", config.fails))
        self._own = {
            f"{kind}.{name}": member
            for kind, each in faults
            for name, fault in each.items()
            if (member := make(fault.source, f"{kind}.{name}")) is not None
        }
        self.needs_frames = needs_frames(self._progress, *self._own.values())
        self._best: float | None = None
        self._failed = False

    def reset(self, task: Task) -> None:
        """Begin an episode, in which nothing went wrong yet."""
        self._progress.reset(task)
        for member in self._own.values():
            member.reset(task)
        self._best, self._failed = None, False

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return what the progress since the last observation is worth."""
        c, said = self._config, self._progress.estimate(observation)
        terms = self._progress.terms(said)
        others = {key: member.estimate(observation) for key, member in self._own.items()}
        for key, member in self._own.items():
            terms |= member.terms(others[key])
        factors, unread = self._factors(said, others)
        unread += self._look_for_fails(said, others)
        gained = self._gain(said.progress)
        share = 0.0 if self._failed else math.prod(factors.values())
        terms |= {f"factor.{name}": factor for name, factor in factors.items()}
        terms |= {"gained": gained, "failed": float(self._failed), "unread": float(unread)}
        return RewardEstimate(
            observation.stamp,
            c.scale * gained * share,
            0.0 if self._failed else said.success,
            said.progress,
            self._doubt(said, gained, unread),
            terms,
        )

    def _factors(
        self, said: RewardEstimate, others: Mapping[str, RewardEstimate]
    ) -> tuple[dict[str, float], int]:
        """Return the factors by name, and how many could not be read."""
        found: dict[str, float] = {}
        unread = 0
        for name, factor in self._config.factors.items():
            read = reading(others.get(f"factors.{name}", said), factor.read)
            unread += read is None
            good = 0.0 if read is None else ramp(read, factor.worst, factor.best)
            found[name] = factor.floor + (1.0 - factor.floor) * good
        return found, unread

    def _look_for_fails(self, said: RewardEstimate, others: Mapping[str, RewardEstimate]) -> int:
        """Take note of hard faults; return how many could not be read."""
        unread = 0
        for name, fail in self._config.fails.items():
            read = reading(others.get(f"fails.{name}", said), fail.read)
            if read is None:
                unread += 1
            elif read > fail.limit if fail.side == "above" else read < fail.limit:
                self._failed = True
        return unread

    def _gain(self, progress: float | None) -> float:
        if progress is None:
            return 0.0
        gained = 0.0 if self._best is None else max(progress - self._best, 0.0)
        self._best = progress if self._best is None else max(progress, self._best)
        return gained

    def _doubt(self, said: RewardEstimate, gained: float, unread: int) -> float | None:
        scale = self._config.scale
        if said.progress is None:
            return scale
        stated = None if said.uncertainty is None else scale * min(said.uncertainty, 1.0)
        return together(stated, scale * gained if unread else None)
