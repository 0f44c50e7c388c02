"""The form of an answer, as a JSON schema for the marks of one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sinew_perception.visual_prompting.marks import Marks

SCHEMA_VERSION = 1

ACTIONS = ("place", "push", "reach", "touch")
GRIPPER = ("open", "closed")
TOP_FIELDS = ("description", "reasoning", "answer")  # in this order
ANSWER_FIELDS = ("possible", "refusal", "action", "grasp", "moves", "target", "waypoints")
WAYPOINT_FIELDS = ("at", "height", "gripper")


def answer_schema(marks: Marks) -> dict[str, Any]:
    """Return the schema; a server that keeps to it cannot name a mark that was not drawn."""
    points = [candidate.label for candidate in marks.candidates]
    places = [*points, *marks.within]
    waypoint = _object(
        WAYPOINT_FIELDS,
        at={"type": "string", "enum": places},
        height={"type": "string", "enum": [*marks.levels.heights()]},
        gripper={"type": "string", "enum": [*GRIPPER]},
    )
    answer = _object(
        ANSWER_FIELDS,
        possible={"type": "boolean"},
        refusal={"type": ["string", "null"]},
        action=_one_of(ACTIONS),
        grasp=_one_of(points),
        moves=_one_of(points),
        target=_one_of(places),
        waypoints={"type": "array", "items": waypoint},
    )
    text = {"type": "string"}
    return _object(TOP_FIELDS, description=text, reasoning=text, answer=answer)


def _object(fields: Sequence[str], **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: properties[name] for name in fields},
        "required": [*fields],
        "additionalProperties": False,
    }


def _one_of(values: Sequence[str]) -> dict[str, Any]:
    """Return the schema of one of some words, or null."""
    return {"type": ["string", "null"], "enum": [*values, None]}
