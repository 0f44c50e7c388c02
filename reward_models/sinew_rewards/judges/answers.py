"""What a judge answered, read strictly, and asked for once more where it cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sinew_perception.visual_prompting.answer import FENCE, MAX_REPLY, MAX_TEXT
from sinew_perception.visual_prompting.faults import Fault, quoted
from sinew_perception.visual_prompting.provider import Provider
from sinew_perception.visual_prompting.question import Question

from sinew_rewards.judges.wording import CHANGES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """What a step came to."""

    change: str  # one of CHANGES
    done: bool


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer that was read, and which model gave it."""

    value: T
    model: str


def ask(provider: Provider, question: Question, read: Callable[[str], T]) -> Answered[T]:
    """Return an answer, asked for once more with the error if it cannot be used.

    Raises Fault: what the provider raises, and `malformed` if the second answer cannot be used either.
    """
    reply = provider.ask(question)
    try:
        return Answered(read(reply.text), reply.model)
    except Fault as fault:
        reply = provider.ask(question.corrected(reply.text, str(fault)))
    return Answered(read(reply.text), reply.model)


def read_descriptions(text: str) -> Mapping[str, str]:
    """Read what two pictures show; raises Fault `malformed`."""
    names = ("first", "second", "difference")
    fields = _fields(text, names)
    return {name: _sentence(fields[name], name) for name in names}


def read_better(text: str) -> int:
    """Read which picture is better: 0, 1, or -1 for neither; the number alone will do. Raises `malformed`."""
    value = _fields(text, ("better",))["better"] if "{" in text else _parsed(text)
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1, -1):
        raise _malformed(f"better: expected 0, 1 or -1, got {_show(value)}")
    return value


def read_step(text: str) -> StepAnswer:
    """Read what a step came to; raises Fault `malformed`."""
    fields = _fields(text, ("seen", "change", "done"))
    _sentence(fields["seen"], "seen")
    if fields["change"] not in CHANGES:
        raise _malformed(f"change: expected one of {', '.join(CHANGES)}, got {_show(fields['change'])}")
    if not isinstance(fields["done"], bool):
        raise _malformed(f"done: expected true or false, got {_show(fields['done'])}")
    return StepAnswer(fields["change"], fields["done"])


def _fields(text: str, names: Sequence[str]) -> Mapping[str, Any]:
    value = _parsed(text)
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        raise _malformed(f"expected an object with {', '.join(names)}, got {_show(value)}")
    return value


def _parsed(text: str) -> Any:
    if len(text) > MAX_REPLY:
        raise _malformed(f"the answer has {len(text)} letters, more than {MAX_REPLY}")
    fenced = FENCE.match(text)
    try:
        return json.loads(fenced.group(1) if fenced else text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _malformed(f'not JSON: {error}; it begins "{quoted(text, 60)}"') from error


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _malformed("a field is given twice")
    return found


def _sentence(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_TEXT:
        raise _malformed(f"{name}: expected a sentence, got {_show(value)}")
    return value


def _malformed(sentence: str) -> Fault:
    return Fault("malformed", f"{sentence}.")


def _show(value: Any) -> str:
    return quoted(json.dumps(value, ensure_ascii=False), 60)
