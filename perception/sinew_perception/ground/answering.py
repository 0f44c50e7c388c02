"""What a sentence means in a picture: the things that are meant, or why that cannot be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sinew_perception.ground.blobs import Blob, Map
from sinew_perception.ground.grounder import Said, Thresholds

CAN = "I can put things in and on others, push, reach and touch them"

AWAY = ("out", "off", "away", "from")  # ways that no form has; not to be taken for their opposites


@dataclass(frozen=True, slots=True)
class Meant:
    """The things that a sentence is about; `target` only where its form has one."""

    form: str
    subject: Blob
    target: Blob | None


class UnclearError(ValueError):
    """A sentence that means nothing here, or too much, with the reason."""


def understand(said: Said, blobs: Sequence[Blob], scores: Map, limits: Thresholds) -> Meant:
    """Return what is meant, given the score (2, n) of each thing for each role; raises UnclearError."""
    check_request(said, limits)
    chosen = [_choose(said, role, blobs, scores[role], limits) for role in range(said.roles)]
    subject, target = chosen[0], chosen[1] if len(chosen) > 1 else None
    if target is subject:
        raise UnclearError(f'"{said.phrases[0]}" and "{said.phrases[1]}" are one and the same thing here.')
    if said.form == "place_in" and target is not None and target.kind != "bowl":
        raise UnclearError(f"nothing can be put into {spoken(target)}; only a bowl holds things.")
    return Meant(said.form, subject, target)


def check_request(said: Said, limits: Thresholds) -> None:
    """Raise UnclearError unless the sentence asks for something that can be done."""
    if not said.words:
        raise UnclearError(f"the instruction is empty. {CAN}.")
    away = [word.text for word in said.words if word.text in AWAY]
    if away:
        raise UnclearError(f"I cannot take anything {away[0]} yet. {CAN}.")
    unknown = [word.text for word in said.words if word.kind == "unknown"]
    if said.sense < limits.form:
        strange = f" I do not know {_listed(unknown)}." if unknown else ""
        raise UnclearError(f"I do not understand this as a request.{strange} {CAN}, asked in English.")
    if said.unplaced:
        raise UnclearError(f"I cannot tell what {_listed(said.unplaced)} belongs to in this sentence.")


def _choose(said: Said, role: int, blobs: Sequence[Blob], scores: Map, limits: Thresholds) -> Blob:
    ranked = sorted(range(len(blobs)), key=lambda i: -scores[i])
    phrase = said.phrases[role] or ("what is to be moved", "the target")[role]
    if not ranked or scores[ranked[0]] < limits.present:
        own = phrase.split()
        strange = [word.text for word in said.words if word.kind == "unknown" and word.text in own]
        because = f" (I do not know the word {_listed(strange)})" if strange else ""
        raise UnclearError(f'I do not see "{phrase}"{because}.')
    rivals = [i for i in ranked[1:] if scores[i] >= limits.rival]
    if rivals:
        several = _listed([spoken(blobs[i]) for i in (ranked[0], *rivals)])
        raise UnclearError(f'"{phrase}" may be any of {several}; say which.')
    return blobs[ranked[0]]


def spoken(blob: Blob) -> str:
    """Return a thing's name with where it is: "the red cube at (0.21, -0.05)"."""
    x, y, _ = blob.position
    return f"the {blob.family} {blob.kind} at ({x:.2f}, {y:.2f})"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
