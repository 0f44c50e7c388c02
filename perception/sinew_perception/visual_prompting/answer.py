"""An answer, read strictly: every field, its order, and every label against the marks that were drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sinew_perception.visual_prompting.faults import Fault, quoted
from sinew_perception.visual_prompting.marks import Marks
from sinew_perception.visual_prompting.schema import (
    ACTIONS,
    ANSWER_FIELDS,
    GRIPPER,
    TOP_FIELDS,
    WAYPOINT_FIELDS,
)

MAX_REPLY = 20_000  # letters
MAX_TEXT = 6_000  # letters, of a description or a reasoning
MAX_WAYPOINTS = 12
FENCE = re.compile(r"\A\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamedWaypoint:
    """One waypoint, by labels."""

    at: str  # cell or point
    height: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered, every label being one that was drawn."""

    description: str
    reasoning: str
    refusal: str | None  # with one, nothing below says anything
    action: str = ""
    grasp: str | None = None  # a point
    moves: str | None = None  # a point
    target: str = ""  # a point or a cell
    waypoints: tuple[NamedWaypoint, ...] = ()


def read_answer(text: str, marks: Marks) -> Answer:
    """Read a reply; raises Fault `malformed` or `unknown mark` with a sentence that the model can act on."""
    whole = _mapping(_parse(text), "the answer", TOP_FIELDS, ordered=True)
    description, reasoning = (_text(whole[name], name) for name in TOP_FIELDS[:2])
    fields = _mapping(whole["answer"], "answer", ANSWER_FIELDS)
    if not isinstance(fields["possible"], bool):
        raise _malformed(f"possible: expected true or false, got {_show(fields['possible'])}")
    if not fields["possible"]:
        return Answer(description, reasoning, quoted(_text(fields["refusal"], "refusal"), 300))
    if fields["refusal"] not in (None, ""):
        raise _malformed("refusal: expected null where possible is true")
    answer = Answer(
        description,
        reasoning,
        None,
        _word(fields["action"], "action", ACTIONS),
        _label(fields["grasp"], "grasp", marks, point=True),
        _label(fields["moves"], "moves", marks, point=True),
        _label(fields["target"], "target", marks) or "",
        _waypoints(fields["waypoints"], marks),
    )
    _check_roles(answer, marks)
    return answer


def _parse(text: str) -> Any:
    if len(text) > MAX_REPLY:
        raise _malformed(f"the answer has {len(text)} letters, more than {MAX_REPLY}")
    fenced = FENCE.match(text)
    try:
        return json.loads(
            fenced.group(1) if fenced else text, object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise _malformed(f'not one JSON object: {error}; it begins "{quoted(text, 60)}"') from error


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise _malformed(f"a field is given twice in {{{quoted(', '.join(names), 80)}}}")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise _malformed(f"{name} is no number")


def _mapping(value: Any, where: str, fields: Sequence[str], *, ordered: bool = False) -> Mapping[str, Any]:
    """Return a mapping that has just these fields; with `ordered`, in this order."""
    if not isinstance(value, dict):
        raise _malformed(f"{where}: expected an object, got {_show(value)}")
    missing = [name for name in fields if name not in value]
    extra = [name for name in value if name not in fields]
    if missing or extra:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"unexpected {quoted(', '.join(extra), 80)}"] if extra else []
        raise _malformed(f"{where}: {'; '.join(parts)}")
    if ordered and [*value] != [*fields]:
        raise _malformed(f"{where}: the order of the fields must be {', '.join(fields)}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _malformed(f"{where}: expected a sentence, got {_show(value)}")
    if len(value) > MAX_TEXT:
        raise _malformed(f"{where}: {len(value)} letters, more than {MAX_TEXT}")
    return value


def _word(value: Any, where: str, words: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in words:
        raise _malformed(f"{where}: expected one of {', '.join(words)}, got {_show(value)}")
    return value


def _label(value: Any, where: str, marks: Marks, *, point: bool = False) -> str | None:
    """Return a label that was drawn, or None for null; with `point`, a cell will not do."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise _malformed(f"{where}: expected a label or null, got {_show(value)}")
    if marks.candidate(quoted(value, 40)) is None and point:
        raise _malformed(f"{where}: expected a point, got the cell {value}")
    return value


def _waypoints(value: Any, marks: Marks) -> tuple[NamedWaypoint, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_WAYPOINTS:
        raise _malformed(f"waypoints: expected a list of 1 to {MAX_WAYPOINTS}, got {_show(value)}")
    waypoints = []
    for i, item in enumerate(value):
        where = f"waypoints[{i}]"
        fields = _mapping(item, where, WAYPOINT_FIELDS)
        at = _label(fields["at"], f"{where}: at", marks)
        if at is None or not isinstance(fields["height"], str):
            raise _malformed(f"{where}: expected labels at `at` and `height`, got {_show(item)}")
        marks.height(quoted(fields["height"], 40))
        gripper = _word(fields["gripper"], f"{where}: gripper", GRIPPER)
        waypoints.append(NamedWaypoint(at, fields["height"], gripper == "closed"))
    return tuple(waypoints)


def _check_roles(answer: Answer, marks: Marks) -> None:
    """Check that an action has the points it needs, and no others."""
    needs = {"place": (True, True), "push": (False, True)}.get(answer.action, (False, False))
    for name, value, needed in zip(("grasp", "moves"), (answer.grasp, answer.moves), needs, strict=True):
        if (value is not None) != needed:
            wanted = "a point" if needed else "null"
            raise _malformed(f"{name}: {answer.action} needs {wanted}, got {_show(value)}")
    if not answer.target:
        raise _malformed(f"target: {answer.action} needs a point or a cell, got null")
    if answer.moves is None:
        return
    moved, target = marks.candidate(answer.moves), marks.candidate(answer.target)
    grasped = None if answer.grasp is None else marks.candidate(answer.grasp)
    assert moved is not None
    if grasped is not None and grasped.object != moved.object:
        raise _malformed(f"moves: {answer.moves} is not on the object that is grasped at {answer.grasp}")
    if target is not None and target.object == moved.object:
        raise _malformed(f"target: {answer.target} is on the object that is to move, {answer.moves}")


def _malformed(sentence: str) -> Fault:
    return Fault("malformed", f"{sentence}.")


def _show(value: Any) -> str:
    return quoted(json.dumps(value, ensure_ascii=False), 60)
