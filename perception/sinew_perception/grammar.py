"""A small grammar of instructions: what is to be done, to what, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sinew_perception.segmentation import COLOURS

Form = Literal["place", "push", "reach", "touch", "take", "push_away", "leave"]

# The shapes that a noun may mean; the first is the one it is called after.
NOUNS: Mapping[str, tuple[str, ...]] = {
    "cube": ("cube",),
    "block": ("cube",),
    "box": ("cube", "box"),
    "cylinder": ("cylinder",),
    "sphere": ("sphere",),
    "ball": ("sphere",),
    "bowl": ("bowl",),
    "dish": ("bowl",),
    "pad": ("pad",),
    "object": (),  # any
    "thing": (),
}
UNDERSTOOD = (
    'I understand "put A in B", "put A on B", "stack A on B", "push A to B", "touch A", "reach for A", and '
    '"take A out of B", "take A off B", "put A on the table", "push A away from B", "move away from A", '
    f"where A and B are one of {', '.join(NOUNS)}, with or without a colour ({', '.join(COLOURS)})."
)

_INTO = "into|inside|in"
_ONTO = "on top of|onto|on|to"
_OUT = "out of|off of|off|away from|from"
_FORMS: tuple[tuple[Form, str], ...] = (
    ("leave", r"(?:move|go|get|back)(?: (?:the |your )?(?:gripper|hand|arm))? away from (?P<a>.+)"),
    ("push_away", rf"(?:push|slide|shove) (?P<a>.+?) (?:{_OUT}) (?P<b>.+)"),
    (
        "take",
        rf"(?:take|lift|get|remove|move|pick up|pick|bring) (?P<a>.+?) (?:{_OUT}) (?P<b>.+?)"
        r"(?: and (?:put|place|drop|set) it (?:on|onto) the table)?",
    ),
    (
        "take",
        r"(?:put|place|drop|move|set|return|bring) (?P<a>.+?) (?:back )?(?:on|onto|to|down on) the table",
    ),
    (
        "reach",
        r"(?:move|bring) (?:the |your )?(?:gripper|hand|arm) (?:above|over|towards|to) (?P<a>.+)",
    ),
    ("reach", r"(?:reach|go|hover)(?: for| over| above| towards| to)? (?P<a>.+)"),
    ("touch", r"touch (?P<a>.+)"),
    (
        "place",
        r"(?:pick up|grab|grasp|take|lift) (?P<a>.+?) and (?:put|place|drop|move|set|stack) it"
        rf" (?P<how>{_INTO}|{_ONTO}) (?P<b>.+)",
    ),
    ("place", rf"(?:put|place|drop|move|set|stack) (?P<a>.+?) (?P<how>{_INTO}|{_ONTO}) (?P<b>.+)"),
    ("push", r"(?:push|slide|shove) (?P<a>.+?) (?:towards|onto|on|to) (?P<b>.+)"),
)


class NotUnderstoodError(ValueError):
    """A sentence outside the grammar, with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a sentence calls an object by; empty fields say nothing."""

    text: str
    colour: str
    shapes: tuple[str, ...]
    number: int = 0  # "red cube 2" is the second of two alike

    def fits(self, name: str) -> bool:
        """Whether a keypoint's name, such as `red_cube_2`, may be what is meant."""
        *words, last = name.split("_")
        number = int(last) if last.isdecimal() else 1
        words = words if last.isdecimal() else [*words, last]
        return (
            (not self.colour or self.colour in words)
            and (not self.shapes or any(shape in words for shape in self.shapes))
            and self.number in (0, number)
        )


@dataclass(frozen=True, slots=True)
class Command:
    """An instruction: its form, the object it is about, and where that shall go, or what it shall leave."""

    form: Form
    subject: Phrase
    target: Phrase | None = None
    inside: bool = False  # into the target rather than onto it


def parse(sentence: str) -> Command:
    """Read an instruction; raises NotUnderstoodError for a sentence outside the grammar.

    Case, punctuation, extra spaces and "please" do not matter.
    """
    words = [word for word in re.findall(r"[a-z0-9]+", sentence.lower()) if word != "please"]
    if not words:
        raise NotUnderstoodError(f"the instruction is empty. {UNDERSTOOD}")
    plain = " ".join(words)
    for form, pattern in _FORMS:
        match = re.fullmatch(pattern, plain)
        if match is not None:
            parts = match.groupdict()
            target = _phrase(parts["b"]) if parts.get("b") else None
            inside = parts.get("how", "") in _INTO.split("|")
            return Command(form, _phrase(parts["a"]), target, inside)
    raise NotUnderstoodError(f'I do not understand "{sentence.strip()}". {UNDERSTOOD}')


def _phrase(text: str) -> Phrase:
    words = text.split()
    if words and words[0] in ("the", "a", "an", "this", "that"):
        words = words[1:]
    number = int(words.pop()) if len(words) > 1 and re.fullmatch("[1-9]", words[-1]) else 0
    colour = words.pop(0) if len(words) > 1 and words[0] in COLOURS else ""
    if len(words) != 1 or words[0] not in NOUNS:
        raise NotUnderstoodError(f'I do not know what "{text}" is. {UNDERSTOOD}')
    return Phrase(text, colour, NOUNS[words[0]], number)
