"""What words mean: colours as CIELAB, nouns as attributes, verbs and prepositions as classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from sinew_core.types import FloatArray

FAMILIES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
SHAPES = ("cube", "cylinder", "sphere", "bowl", "pad")
ANY = "any"
HERE = Path(__file__).parent
Kind = Literal["colour", "noun", "other", "unknown"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a colour's name of several words."""

    text: str
    kind: Kind
    family: str  # of a colour; the shape of a noun; the class of any other
    vector: FloatArray  # (Lexicon.size,)
    rgb: tuple[float, float, float] | None = None  # 0 to 1, of a colour
    held_out: bool = False

    @property
    def spelt(self) -> bool:
        """Whether its letters count: not where the lexicon says it better, nor where training lacked it."""
        return self.kind == "unknown" or (self.kind == "other" and not self.held_out)


class Lexicon:
    """All words with a meaning; any other word has a vector of zeros."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        nouns, others, held = data["nouns"], data["others"], data["held_out"]
        attributes = sorted({name for noun in nouns.values() for name in noun["attributes"]})
        self._layout = ["known", "is_colour", "L", "a", "b", "is_noun", *attributes, *others]
        self.size = len(self._layout)
        self.words: dict[str, Word] = {}
        for family, values in data["colours"].items():
            for name, code in values.items():
                self._add_colour(str(name), family, str(code), name in held["colours"])
        for shape, noun in nouns.items():
            vector = self._vector(is_noun=1.0, **dict.fromkeys(noun["attributes"], 1.0))
            for name in noun["words"]:
                self.words[name] = Word(name, "noun", shape, vector, None, name in held["nouns"])
        for kind, names in others.items():
            for name in names:
                vector = self._vector(**{kind: 1.0})
                self.words.setdefault(name, Word(name, "other", kind, vector, None, name in held["verbs"]))
        self._longest = max(len(name.split()) for name in self.words)
        self._nothing = np.zeros(self.size)

    def _add_colour(self, name: str, family: str, code: str, held_out: bool) -> None:
        r, g, b = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
        vector = self.colour_vector(lab((r, g, b)))
        self.words[name] = Word(name, "colour", family, vector, (r, g, b), held_out)

    def colour_vector(self, colour: FloatArray) -> FloatArray:
        """Return the vector of a colour word, from CIELAB (3,)."""
        L, a, b = colour
        return self._vector(is_colour=1.0, L=L / 50 - 1, a=a / 50, b=b / 50)

    def _vector(self, **values: float) -> FloatArray:
        known = {"known": 1.0, **values}
        return np.array([known.get(name, 0.0) for name in self._layout])

    def read(self, sentence: str) -> list[Word]:
        """Return the words of a sentence, colours' names of several words as one."""
        pieces = tokens(sentence)
        found: list[Word] = []
        while pieces:
            for length in range(min(self._longest, len(pieces)), 0, -1):
                name = " ".join(pieces[:length])
                word = self._find(name)
                if word is not None or length == 1:
                    found.append(word or Word(name, "unknown", "", self._nothing))
                    pieces = pieces[length:]
                    break
        return found

    def _find(self, name: str) -> Word | None:
        if name in self.words:
            return self.words[name]
        singular = name.removesuffix("s")
        return self.words.get(singular) if len(singular) > 2 else None

    def colours(self, family: str | None = None, held_out: bool | None = None) -> list[Word]:
        """Return the colour words, of one family or all, of one split or both."""
        return self._of("colour", family, held_out)

    def nouns(self, shape: str | None = None, held_out: bool | None = None) -> list[Word]:
        """Return the nouns, of one shape or all, of one split or both."""
        return self._of("noun", shape, held_out)

    def _of(self, kind: Kind, family: str | None, held_out: bool | None) -> list[Word]:
        return [
            word
            for word in self.words.values()
            if word.kind == kind and family in (None, word.family) and held_out in (None, word.held_out)
        ]


def tokens(sentence: str) -> list[str]:
    """Return the lower-case words of a sentence in any script, without punctuation and apostrophes."""
    return re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", sentence.lower()))


def lab(rgb: tuple[float, float, float]) -> FloatArray:
    """Return CIELAB (3,) of an sRGB triple, 0 to 1, under D65 (IEC 61966-2-1, CIE 15)."""
    c = np.array(rgb)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    t = to_xyz @ linear / [0.95047, 1.0, 1.08883]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@cache
def load_lexicon() -> Lexicon:
    """Return the lexicon of the package."""
    return Lexicon(yaml.safe_load((HERE / "lexicon.yaml").read_text(encoding="utf-8")))


@cache
def load_frames() -> Mapping[str, Any]:
    """Return the sentence frames of the package, as `frames.yaml` has them."""
    frames: Mapping[str, Any] = yaml.safe_load((HERE / "frames.yaml").read_text(encoding="utf-8"))
    return frames
