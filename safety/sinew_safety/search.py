"""Finding the step: a quadratic program of linear rows, and a look at where its answer really leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_safety.collision_model import Indices
from sinew_safety.gaps import Gaps
from sinew_safety.limits import StepBounds
from sinew_safety.places import Move, Place, Rule, arm_place, target_place
from sinew_safety.program import Rows, joined, nearest_step

ROUNDS = 4  # of looking and solving
ROUNDING = 1e-6  # m, by which a row may lack before the program is solved
BROKEN = 2e-4  # m, from which on a row counts as broken and the arm brakes


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
        self,
        gaps: Gaps,
        rule: Rule,
        servos: Move,
        bounds: StepBounds,
        full: FloatArray,
        target: FloatArray,
        last: FloatArray,
    ) -> None:
        """Begin at the target (n,), where `gaps` is and where the step `last` led; `full` is the unit."""
        self._gaps, self._rule, self._servos, self._bounds = gaps, rule, servos, bounds
        self._full, self._target, self._last = full, target, last
        self._known = gaps.at_least()  # (all,) m at the target: lower bounds, until they are measured
        self._at_target = np.zeros(len(self._known), dtype=bool)  # those that have rows
        self._at_arm = np.zeros(len(self._known), dtype=bool)
        self._places: list[Place] = []

    def run(self, wanted: FloatArray) -> Found:
        """Return the step for a wanted one (n,)."""
        bounds, step = self._bounds, self._bounds.nearest(wanted)
        more = self._watch(step)
        if not more:
            return Found(step, ())
        rows = joined(more)
        pressing = np.zeros(0, dtype=np.intp)
        for _ in range(ROUNDS):
            if (rows.lack(step) > ROUNDING).any():
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
        rule = self._rule
        closing = rule.levers @ np.abs(step)
        astray = rule.levers @ self._servos.astray(step)
        room = self._known - rule.margin
        new = (((closing > rule.rate * room) | (astray > room)) & ~self._at_target).nonzero()[0]
        rows = self._watch_target(new, closing) if len(new) else []
        new = ((astray > self._known - rule.margin) & ~self._at_arm).nonzero()[0]
        return rows + (self._watch_arm(new) if len(new) else [])

    def _watch_target(self, which: Indices, closing: FloatArray) -> list[Rows]:
        """Measure distances at the target; return the rows of those that are still in question then."""
        rule = self._rule
        self._gaps.at(self._target)
        near = self._gaps.witnesses(which)
        self._known[which] = near.distance
        chosen = (closing[which] > rule.rate[which] * (near.distance - rule.margin[which])).nonzero()[0]
        if len(chosen) == 0:
            return []
        which = which[chosen]
        now = self._gaps.nearest(which, near.of(chosen))
        place, rows = target_place(rule, self._target, which, now)
        self._at_target[which] = True
        self._places.append(place)
        return [rows]

    def _watch_arm(self, which: Indices) -> list[Rows]:
        """Measure distances at the arm; return their rows."""
        arm, rows = arm_place(self._gaps, self._rule, self._servos, which, self._known[which])
        self._at_arm[which] = True
        self._places.append(arm)
        return [arm.rows(self._last), rows]

    def _cuts(self, step: FloatArray) -> list[Rows]:
        """Return rows for what lacks where a step leads."""
        cuts = (place.cut(self._gaps, self._rule, step) for place in self._places)
        return [cut for cut in cuts if cut is not None]

    def _braked(self, rows: Rows) -> FloatArray:
        """Return the step nearest to standing still that breaks the rows as little as can be."""
        bounds = self._bounds
        answer = nearest_step(bounds.stop, bounds.lower, bounds.upper, self._full, rows)
        return answer.step if answer.solved else bounds.stop


def _named(rows: Rows, chosen: Indices) -> tuple[int, ...]:
    return tuple(dict.fromkeys(rows.which[chosen].tolist()))
