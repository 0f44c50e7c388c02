"""Where a step of the target takes the arm, and how near everything may be there.

There are two places to look at. One is the target itself. The other is where the servos will have the
arm at the end of the control period: each follows its target with a time constant of its own, so an arm
in motion leaves the path of its targets, and may pass nearer to things than any target does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_safety.collision_model import Indices
from sinew_safety.gaps import Gaps, Nearest
from sinew_safety.program import Rows

BRAKING = 0.5  # share of the acceleration limits that one distance may count on for braking
UNSURE = 0.4  # share of the remaining lag by which the servos may be elsewhere than foreseen
EXACT = 1e-4  # m, to which a target's margin is kept, distances not being linear in the step
ARM_EXACT = 5e-4  # m, to which the arm's is, its place being foreseen only
LEAST_CHANGE = 1e-9  # m, instead of no influence at all


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds of every distance in one control period."""

    rate: FloatArray  # (all,) share of itself, beyond its margin, by which a distance may close
    margin: FloatArray  # (all,) m
    levers: FloatArray  # (all, n) m/rad or m/m, upper bounds of the gradients
    turning: FloatArray  # (all, n) m/rad, see Gaps
    change: FloatArray  # (n,) rad or m, by which a step may differ from the last one

    def allowed(self, which: Indices, now: Nearest) -> FloatArray:
        """Return by how much distances (k,) may close in this period, m.

        By their share, and by no more than can be braked from in time: with steps that become shorter by
        b a period, s + (s - b) + ... must stay within the room that there is.
        """
        room = np.maximum(now.distance - self.margin[which], 0.0)
        b = BRAKING * (np.abs(now.gradient) @ self.change) + LEAST_CHANGE
        braked = b * (np.sqrt(1.0 + 8.0 * room / b) - 1.0) / 2.0
        allowed: FloatArray = np.minimum(self.rate[which] * room, braked)
        return allowed

    def closing(self, which: Indices, gradient: FloatArray, move: FloatArray) -> FloatArray:
        """Return by how much a move (n,) brings shapes (k,) nearer, at most, m, given their gradients.

        Two bounds: no point moves by more than levers allow; and the nearest points move as the gradient
        says, all others turn about them, and levers turn, too.
        """
        size = np.abs(move)
        moved = (self.levers @ size)[which]
        turned = (self.turning @ size)[which] - gradient @ move + (0.5 * float(size.sum())) * moved
        closing: FloatArray = np.minimum(moved, turned)
        return closing


@dataclass(frozen=True, slots=True)
class Move:
    """How joint positions follow from a step of the target."""

    origin: FloatArray  # (n,)
    behind: FloatArray  # (n,) the way from there to the target
    gain: FloatArray  # (n,) share of its way to the target that a joint makes in one period

    def way(self, step: FloatArray) -> FloatArray:
        """Return the way from the origin in one period, (n,)."""
        return self.gain * (self.behind + step)

    def lag(self, step: FloatArray) -> FloatArray:
        """Return how far each joint is from its target after that period, (n,)."""
        return (1.0 - self.gain) * np.abs(self.behind + step)

    def astray(self, step: FloatArray) -> FloatArray:
        """Return how far from the present target a step can have each joint, now or after it, (n,)."""
        there, here = np.abs(self.way(step) - self.behind), np.abs(step - self.behind)
        return np.maximum(there, here) + UNSURE * self.lag(step)

    def lag_slope(self, step: FloatArray) -> FloatArray:
        """Return how the lag changes with the step, (n,)."""
        return (1.0 - self.gain) * np.sign(self.behind + step)


class Place:
    """Joint positions that depend on the step, the distances needed there, and what is known of them.

    Remembers the last step that was looked at: the next one is near it, and so are its distances.
    """

    def __init__(
        self,
        which: Indices,
        known: Nearest,
        need: FloatArray,
        move: Move,
        toll: FloatArray | None = None,
        exact: float = EXACT,
    ) -> None:
        """Take the distances `known` (k,) at the move's origin and what is needed of them, (k,) m.

        From every distance its toll (k, n) is taken, m per rad or m that each joint lags behind.
        """
        self.which, self.known, self._need = which, known, need
        self._move, self._toll, self._exact = move, toll, exact
        self._least = np.full(len(which), -np.inf)  # (k,) m, lower bounds at the last step
        self._last: FloatArray | None = None

    def rows(self, step: FloatArray) -> Rows:
        """Return what is needed, linear about a step and as seen from the origin."""
        known = self.known
        there = known.distance + known.gradient @ self._move.way(step)
        return self._linear(step, self.which, self.need(step) - there, known.gradient, self._toll)

    def need(self, step: FloatArray) -> FloatArray:
        """Return the distances (k,) m that are needed after a step."""
        return self._need if self._toll is None else self._need + self._toll @ self._move.lag(step)

    def cut(self, gaps: Gaps, rule: Rule, step: FloatArray) -> Rows | None:
        """Return rows for the distances that lack after a step, taken there; None if none does."""
        way, need = self._move.way(step), self.need(step) - self._exact
        least = self.known.distance - rule.closing(self.which, self.known.gradient, way)
        if self._last is not None:
            closing = (rule.levers @ np.abs(self._move.gain * (step - self._last)))[self.which]
            least = np.maximum(least, self._least - closing)
        self._least, self._last = least, step
        chosen = (least < need).nonzero()[0]
        if len(chosen) == 0:
            return None
        gaps.at(self._move.origin + way)
        least[chosen] = gaps.distances(self.which[chosen])
        short = chosen[least[chosen] < need[chosen]]
        if len(short) == 0:
            return None
        which, lack = self.which[short], need[short] + self._exact - least[short]
        toll = None if self._toll is None else self._toll[short]
        return self._linear(step, which, lack, gaps.nearest(which).gradient, toll)

    def _linear(
        self,
        step: FloatArray,
        which: Indices,
        lack: FloatArray,
        gradient: FloatArray,
        toll: FloatArray | None,
    ) -> Rows:
        """Return rows for what lacks (k,) m after a step, from the gradients (k, n) there."""
        slope = gradient * self._move.gain
        if toll is not None:
            slope -= toll * self._move.lag_slope(step)
        return Rows(slope, lack + slope @ step, which)


def target_place(rule: Rule, target: FloatArray, which: Indices, now: Nearest) -> tuple[Place, Rows]:
    """Look at the target (n,), where the distances are `now` (k,): the barriers proper, and their rows."""
    margin, allowed = rule.margin[which], rule.allowed(which, now)
    kept = (now.distance > margin - EXACT) & (now.distance < margin)
    need = np.where(kept, margin, now.distance - allowed)
    n = len(target)
    place = Place(which, now, need, Move(target, np.zeros(n), np.ones(n)))
    return place, Rows(now.gradient, -allowed, which)


def arm_place(gaps: Gaps, rule: Rule, servos: Move, which: Indices, have: FloatArray) -> tuple[Place, Rows]:
    """Look at where the servos will have the arm; the rows hold where it is now. Takes `gaps` there.

    The margin is needed, and more the more of the lag remains; where the target itself, which has the
    distances `have` (k,), is inside its margin, no more than that. What the arm sags by shows in its
    own distances as they are: they, too, close no faster than a target's may.
    """
    gaps.at(servos.origin)
    now, margin = gaps.nearest(which), rule.margin[which]
    place = Place(which, now, np.minimum(margin, have), servos, UNSURE * np.abs(now.gradient), ARM_EXACT)
    return place, Rows(now.gradient, -rule.allowed(which, now), which)
