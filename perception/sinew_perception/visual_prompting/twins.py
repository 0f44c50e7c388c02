"""A second look at ambiguity: of two alike none is chosen unless the sentence tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sinew_perception.grammar import NotUnderstoodError, parse

# Words that may single out one of several alike objects, or leave the choice open.
_PLACE = "left|right|leftmost|rightmost|front|back|middle|centre|center|corner"
_DISTANCE = "near|nearer|nearest|close|closer|closest|far|further|furthest|farther|farthest"
_ORDER = "first|second|third|fourth|last|upper|lower|highest|lowest|other"
_SIZE = "big|bigger|biggest|small|smaller|smallest|large|larger|largest"
_HEIGHT = "tall|taller|tallest|short|shorter|shortest"
_FREE = "any|either|whichever"
DISTINGUISHING = frozenset("|".join([_PLACE, _DISTANCE, _ORDER, _SIZE, _HEIGHT, _FREE]).split("|"))


def unclear(sentence: str, chosen: Iterable[str], names: Iterable[str]) -> str | None:
    """Return why a choice of keypoints is a guess, or None where it is none.

    Where the grammar of rule grounding can read the sentence, each of its phrases must mean one keypoint
    only. Otherwise a chosen object that has a twin needs a sentence with a word, or a number, that may
    tell the twins apart.
    """
    seen = sorted(names)
    try:
        command = parse(sentence)
    except NotUnderstoodError:
        return _guessed(sentence, chosen, seen)
    for phrase in (command.subject, command.target):
        fitting = [name for name in seen if phrase is not None and phrase.fits(name)]
        if phrase is not None and len(fitting) > 1:
            return f'"{phrase.text}" may be any of {", ".join(fitting)}; say which.'
    return None


def stem(name: str) -> str:
    """Return a keypoint's name without the number that tells it from others alike."""
    return re.sub(r"_\d+$", "", name)


def _guessed(sentence: str, chosen: Iterable[str], seen: list[str]) -> str | None:
    words = set(re.findall(r"[a-z]+|\d+", sentence.lower()))
    if words & DISTINGUISHING or any(word.isdecimal() for word in words):
        return None
    for name in chosen:
        alike = [other for other in seen if stem(other) == stem(name)]
        if len(alike) > 1:
            return f"the sentence may mean any of {', '.join(alike)}; say which."
    return None
