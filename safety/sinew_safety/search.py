"""Finding the step: a quadratic program of linear rows, and a look at where its answer really leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_safety.collision_model import Indices
from sinew_safety.gaps import Gaps
from sinew_safety.limits import StepBounds
from sinew_safety.places import EXACT, UNSURE, Mask, Move, Place, Rule, arm_place, target_place
from sinew_safety.program import Rows, joined, nearest_step

ROUNDS = 4  # of looking and solving
BROKEN = 1e-4  # m, from which on a row counts as broken and the arm brakes


@dataclass(frozen=True, slots=True)
class Found:
    """The step, the distances that shaped it, and why the arm brakes instead, if it does."""

    step: FloatArray  # (n,)
    which: tuple[int, ...]
    brake: str = ""


class Search:
    """One control period's search for the step nearest to the wanted one that keeps all distances.

    Linear rows are exact for small steps only: corners turn, and another one becomes the nearest. So the
    distances after a step are measured, and where one lacks, a row taken there is added and the program
    solved again (Kelley's cutting planes). What no step so far could bring into question is not measured.
    """

    def __init__(
        self, gaps: Gaps, rule: Rule, servos: Move, target: FloatArray, bounds: StepBounds, full: FloatArray
    ) -> None:
        self._gaps, self._rule, self._servos, self._target = gaps, rule, servos, target
        self._bounds, self._full = bounds, full
        gaps.at(target)
        self._known = gaps.at_least()  # (all,) m at the target: lower bounds, until they are measured
        self._gradient = np.zeros((len(self._known), len(target)))
        self._at_target = np.zeros(len(self._known), dtype=bool)  # those that are measured
        self._at_arm = np.zeros(len(self._known), dtype=bool)
        self._places: list[Place] = []

    def run(self, wanted: FloatArray) -> Found:
        """Return the step for a wanted one (n,)."""
        bounds, step = self._bounds, self._bounds.nearest(wanted)
        rows = joined([Rows.none(len(step)), *self._watch(step)])
        pressing = np.zeros(0, dtype=np.intp)
        for _ in range(ROUNDS):
            if (rows.lack(step) > EXACT).any():
                answer = nearest_step(wanted, bounds.lower, bounds.upper, self._full, rows)
                if not answer.solved:
                    return Found(bounds.stop, (), "solver")
                step, pressing = answer.step, answer.pressing
            more = self._watch(step) + self._cuts(step)
            if not more:
                break
            rows = joined([rows, *more])
        lacking = (rows.lack(step) > BROKEN).nonzero()[0]
        if len(lacking):
            return Found(self._braked(rows), _named(rows, lacking), "slack")
        return Found(step, _named(rows, pressing))

    def _watch(self, step: FloatArray) -> list[Rows]:
        """Measure what a step newly brings into question, and return its rows."""
        rows = []
        new = (self._target_matters(step) & ~self._at_target).nonzero()[0]
        if len(new):
            target = target_place(self._gaps, self._rule, self._target, new)
            self._at_target[new] = True
            self._known[new], self._gradient[new] = target.known.distance, target.known.gradient
            self._places.append(target)
            rows.append(target.rows(step))
        new = (self._arm_matters(step) & ~self._at_arm).nonzero()[0]
        if len(new):
            arm, now = arm_place(self._gaps, self._rule, self._servos, new, self._known[new])
            self._at_arm[new] = True
            self._places.append(arm)
            rows += [arm.rows(step), now]
        return rows

    def _cuts(self, step: FloatArray) -> list[Rows]:
        """Return rows for what lacks where a step leads."""
        cuts = (place.cut(self._gaps, self._rule, step) for place in self._places)
        return [cut for cut in cuts if cut is not None]

    def _target_matters(self, step: FloatArray) -> Mask:
        """Tell of every distance whether a step could close it too fast, or whether the arm's may matter."""
        rule, size = self._rule, np.abs(step)
        room = np.maximum(self._known - rule.margin, 0.0)
        astray = np.abs(self._servos.from_target(step)) + UNSURE * self._servos.lag(step)
        matters: Mask = (rule.levers @ size > rule.rate * room) | (rule.levers @ astray > room)
        return matters

    def _arm_matters(self, step: FloatArray) -> Mask:
        """Tell of every distance whether the arm could come within its margin by a step."""
        rule, servos, known = self._rule, self._servos, self._at_target
        which = known.nonzero()[0]
        closing = rule.closing(which, self._gradient[which], servos.from_target(step))
        unsure = UNSURE * (rule.levers @ servos.lag(step))[which]
        matters = np.zeros(len(known), dtype=bool)
        matters[which] = self._known[which] - closing - unsure < rule.margin[which]
        return matters

    def _braked(self, rows: Rows) -> FloatArray:
        """Return the step nearest to standing still that breaks the rows as little as can be."""
        bounds = self._bounds
        answer = nearest_step(bounds.stop, bounds.lower, bounds.upper, self._full, rows)
        return answer.step if answer.solved else bounds.stop


def _named(rows: Rows, chosen: Indices) -> tuple[int, ...]:
    return tuple(dict.fromkeys(rows.which[chosen].tolist()))
