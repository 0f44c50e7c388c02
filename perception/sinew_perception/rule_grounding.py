"""An affordance model of rules: parses the sentence and grounds its nouns in the keypoints, no guessing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation, Refusal

from sinew_perception.free_space import Area, free_place, place_to_push_to, radius
from sinew_perception.grammar import Command, NotUnderstoodError, Phrase, parse
from sinew_perception.waypoints import Margins, above_waypoint, holds, place_waypoints, push_waypoints

SOURCE = "rule_grounding"
SAME_PLACE = 0.005  # m; nearer than this there is no direction to push in
RISE = 0.10  # m that the tip goes up from an object's top to be away from it


@dataclass(frozen=True, slots=True)
class Config:
    """The distances that the ways keep, and where the table is within reach, if no hardware tells."""

    margins: Margins = field(default_factory=Margins)
    lower: tuple[float, float] = (0.16, -0.11)  # m, base frame
    upper: tuple[float, float] = (0.27, 0.11)  # m


class CannotGroundError(ValueError):
    """An instruction that is understood but does not fit what is seen."""


class RuleGrounding:
    """Answers instructions of the grammar; for all others, a refusal that says why and what it saw."""

    def __init__(self, config: Config, hardware: Hardware | None = None) -> None:
        self._margins = config.margins
        table = config if hardware is None else hardware.config.scene
        self._table: Area = (table.lower, table.upper)

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        """Return an affordance, or a refusal for a sentence outside the grammar or not about this scene."""
        try:
            return self._ground(observation, instruction, parse(instruction))
        except (NotUnderstoodError, CannotGroundError) as error:
            saw = tuple(sorted(observation.keypoints))
            reason = f"{error} I see {', '.join(saw) or 'no object'}."
            return Refusal(observation.stamp, instruction, reason, saw, SOURCE)

    def _ground(self, observation: Observation, instruction: str, command: Command) -> Affordance:
        names = sorted(observation.keypoints)
        subject = find(command.subject, names)
        target = None if command.target is None else find(command.target, names)
        if command.form in ("take", "push_away", "leave"):
            return self._undo(observation, instruction, command, subject, target)
        waypoints = self._waypoints(observation, command, subject, target)
        return Affordance(
            stamp=observation.stamp,
            instruction=instruction,
            grasp=subject if command.form == "place" else None,
            waypoints=waypoints,
            target=subject if target is None else target,
            source=SOURCE,
            closed=np.full(len(waypoints), command.form != "reach"),
            moves=None if target is None else subject,
        )

    def _undo(
        self,
        observation: Observation,
        instruction: str,
        command: Command,
        subject: str,
        leave: str | None,
    ) -> Affordance:
        """Return the affordance that takes an object from where it is to a free place on the table."""
        seen, margins = observation.keypoints, self._margins
        moved = seen[subject]
        if command.form == "leave":
            up = above_waypoint(moved, margins.hover + RISE)
            closed = np.zeros(1, dtype=np.bool_)
            return Affordance(observation.stamp, instruction, None, up[None], up, SOURCE, closed)
        if leave is not None and _distance(moved, seen[leave]) > radius(seen[leave]) + radius(moved):
            raise CannotGroundError(f"{subject} is not at {leave}.")
        others = [thing for name, thing in seen.items() if name != subject]
        if command.form == "push_away" and leave is not None:
            others = [thing for thing in others if thing is not seen[leave]]
            place = place_to_push_to(moved, seen[leave], others, self._table)
        else:
            place = free_place(moved, others, self._table)
        if place is None:
            raise CannotGroundError(f"there is no free place on the table for {subject}.")
        table = Keypoint(place, extent=np.array([0.03, 0.03, 0.0]))
        pushed = command.form == "push_away"
        way = push_waypoints if pushed else partial(place_waypoints, inside=False)
        waypoints = way(moved, table, others, margins=margins)
        return Affordance(
            stamp=observation.stamp,
            instruction=instruction,
            grasp=None if pushed else subject,
            waypoints=waypoints,
            target=place,
            source=SOURCE,
            closed=np.ones(len(waypoints), dtype=np.bool_),
            moves=subject,
        )

    def _waypoints(
        self, observation: Observation, command: Command, subject: str, target: str | None
    ) -> FloatArray:
        seen, margins = observation.keypoints, self._margins
        moved = seen[subject]
        if target is None:
            heights = [margins.hover] if command.form == "reach" else [margins.hover, margins.touch]
            return np.array([above_waypoint(moved, height) for height in heights])
        if target == subject:
            raise CannotGroundError(f"{subject} cannot go to itself.")
        if command.form == "place":
            inside = holds(target)
            if command.inside and not inside:
                raise CannotGroundError(f"nothing can be put into {target}; only a bowl holds things.")
            return place_waypoints(moved, seen[target], seen.values(), inside, margins)
        if _distance(moved, seen[target]) < SAME_PLACE:
            raise CannotGroundError(f"{subject} is at {target} already.")
        return push_waypoints(moved, seen[target], seen.values(), margins)


def find(phrase: Phrase, names: list[str]) -> str:
    """Return the one keypoint that a phrase can mean; raises CannotGroundError for none or several."""
    fitting = [name for name in names if phrase.fits(name)]
    if not fitting:
        raise CannotGroundError(f'I do not see "{phrase.text}".')
    if len(fitting) > 1:
        raise CannotGroundError(f'"{phrase.text}" may be any of {", ".join(fitting)}; say which.')
    return fitting[0]


def _distance(a: Keypoint, b: Keypoint) -> float:
    return float(np.linalg.norm(a.position[:2] - b.position[:2]))
