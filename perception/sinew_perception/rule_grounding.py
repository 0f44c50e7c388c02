"""An affordance model of rules: parses the sentence and grounds its nouns in the keypoints, no guessing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation, Refusal

from sinew_perception.grammar import Command, NotUnderstoodError, Phrase, parse
from sinew_perception.waypoints import Margins, above_waypoint, holds, place_waypoints, push_waypoints

SOURCE = "rule_grounding"
SAME_PLACE = 0.005  # m; nearer than this there is no direction to push in


@dataclass(frozen=True, slots=True)
class Config:
    """The distances that the ways keep."""

    margins: Margins = field(default_factory=Margins)


class CannotGroundError(ValueError):
    """An instruction that is understood but does not fit what is seen."""


class RuleGrounding:
    """Answers instructions of the grammar; for all others, a refusal that says why and what it saw."""

    def __init__(self, config: Config) -> None:
        self._margins = config.margins

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
