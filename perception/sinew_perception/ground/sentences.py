"""Random sentences about a scene, with what each word of them means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sinew_perception.ground.encoding import MAX_WORDS
from sinew_perception.ground.lexicon import ANY, FAMILIES, SHAPES, Lexicon, Word, tokens

FORMS = ("place_in", "place_on", "push", "reach", "touch", "none")
TWO = ("place_in", "place_on", "push")  # forms with a target
SLOTS = ("a_colour", "a_noun", "b_colour", "b_noun")
ARTICLES = ("the", "the", "the", "the", "a", "that", "this", "my", "")
VOWELS, CONSONANTS = "aeiou", "bcdfgklmnprstvxz"
Split = Literal["train", "held_out"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase fits: a family and a shape, each None for any; where it is nonsense, it fits nothing."""

    family: str | None
    shape: str | None
    nonsense: Literal["", "noun", "colour"] = ""

    def fits_family(self, family: str) -> bool:
        """Whether the phrase may mean a thing of this family of colours."""
        return self.nonsense != "colour" and self.family in (None, family)

    def fits_shape(self, shape: str) -> bool:
        """Whether the phrase may mean a thing of this shape."""
        return self.nonsense != "noun" and self.shape in (None, shape)

    def fits(self, family: str, shape: str) -> bool:
        """Whether the phrase may mean a thing of this family and shape."""
        return self.fits_family(family) and self.fits_shape(shape)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its meaning; `slots[k]` are the places of the words of SLOTS[k]."""

    text: str
    words: tuple[Word, ...]
    form: str
    phrases: tuple[Meaning, ...]  # (1,) or (2,); empty for form none
    slots: tuple[tuple[int, ...], ...]  # (4,)


class Speaker:
    """Says sentences in the words and frames of one split; its state is the generator's only."""

    def __init__(
        self, rng: np.random.Generator, lexicon: Lexicon, frames: Mapping[str, Any], split: Split
    ) -> None:
        self._rng, self._lexicon, self._split = rng, lexicon, split
        self._frames, self._fillers = frames[split], frames["fillers"]
        self._foreign, self._absent = frames["foreign"][split], frames["absent_nouns"][split]
        held_out = None if split == "train" else True
        self._colours = {
            family: lexicon.colours(family, False if split == "train" else held_out)
            for family in (*FAMILIES, "brown", "grey", "turquoise")
        }
        self._nouns = {
            shape: lexicon.nouns(shape, False if split == "train" else held_out) for shape in (*SHAPES, ANY)
        }

    def say(self, form: str, phrases: Sequence[Meaning]) -> Sentence:
        """Return a sentence of a form about things; a phrase that is nonsense gets a nonsense word."""
        frame = self._pick(self._frames[form])
        text = frame.replace("{", " {").replace("}", "} ")
        return self._compose(text, form, [self.phrase(meaning) for meaning in phrases], phrases)

    def say_nothing(self, phrases: Sequence[Meaning]) -> Sentence:
        """Return a sentence that asks for nothing that a robot could do here."""
        draw = self._rng.uniform()
        if draw < 0.2:
            return self._read(self._pick(self._foreign))
        if draw < 0.3:
            words = [self.nonsense_word() for _ in range(int(self._rng.integers(2, 8)))]
            joined = " ".join(
                self._pick(["in", "the", "on", word]) if i % 3 else word for i, word in enumerate(words)
            )
            return self._read(joined)
        return self.say("none", phrases)

    def _read(self, text: str) -> Sentence:
        return Sentence(text, tuple(self._lexicon.read(text)), "none", (), ((), (), (), ()))

    def phrase(self, meaning: Meaning) -> list[tuple[str, str]]:
        """Return the pieces (words, slot) of a phrase; the slot is "colour", "noun" or empty."""
        rng = self._rng
        noun, colour = self._noun(meaning), self._colour(meaning)
        pieces = [(self._pick(ARTICLES), "")]
        if rng.uniform() < 0.15:
            pieces.append((self._pick(self._fillers["adjectives"]), ""))
        after = bool(colour) and rng.uniform() < 0.06
        if colour and not after:
            pieces.append((colour, "colour"))
            if rng.uniform() < 0.04:
                pieces.append((self._pick(["coloured", "colored"]), ""))
        pieces.append((noun, "noun"))
        if after:
            pieces += [(self._pick(["that is", "which is"]), ""), (colour, "colour")]
        return pieces

    def _noun(self, meaning: Meaning) -> str:
        if meaning.nonsense == "noun":
            return str(self._pick(self._absent)) if self._rng.uniform() < 0.6 else self.nonsense_word()
        noun: Word = self._pick(self._nouns[meaning.shape or ANY])
        return noun.text

    def _colour(self, meaning: Meaning) -> str:
        if meaning.nonsense == "colour":
            return self.nonsense_word()
        if meaning.family is None:
            return ""
        colour: Word = self._pick(self._colours[meaning.family])
        return colour.text

    def nonsense_word(self) -> str:
        """Return a word that no language here has."""
        while True:
            length = int(self._rng.integers(1, 4))
            word = "".join(str(self._pick(CONSONANTS) + self._pick(VOWELS)) for _ in range(length))
            word += str(self._pick([*CONSONANTS, ""]))
            if len(word) > 2 and self._lexicon.read(word)[0].kind == "unknown":
                return word

    def _compose(
        self,
        frame: str,
        form: str,
        phrases: Sequence[Sequence[tuple[str, str]]],
        meanings: Sequence[Meaning],
    ) -> Sentence:
        pieces: list[tuple[str, str]] = self._around("before", 0.30)
        for part in frame.split():
            if part in ("{a}", "{b}"):
                role = part[1]
                index = min(0 if role == "a" else 1, len(phrases) - 1)
                pieces += [(text, f"{role}_{slot}" if slot else "") for text, slot in phrases[index]]
            else:
                pieces.append((part, ""))
        return self._join(pieces + self._around("after", 0.15), form, meanings)

    def _around(self, where: str, share: float) -> list[tuple[str, str]]:
        draw = self._rng.uniform()
        if draw < share:
            return [(self._pick(self._fillers[where]), "")]
        return [(self.nonsense_word(), "")] if draw < share + 0.04 else []

    def _join(self, pieces: Sequence[tuple[str, str]], form: str, meanings: Sequence[Meaning]) -> Sentence:
        text = " ".join(piece for piece, _ in pieces if piece)
        words = tuple(self._lexicon.read(text))
        labels = [slot for piece, slot in pieces for _ in tokens(piece)]
        places: dict[str, list[int]] = {slot: [] for slot in SLOTS}
        start = 0
        for i, word in enumerate(words):
            slot = labels[start]
            if slot and i < MAX_WORDS:
                places[slot].append(i)
            start += len(word.text.split()) if word.kind != "unknown" else 1
        if form == "none":
            return Sentence(text, words, form, (), ((), (), (), ()))
        return Sentence(text, words, form, tuple(meanings), tuple(tuple(places[s]) for s in SLOTS))

    def _pick(self, options: Any) -> Any:
        return options[int(self._rng.integers(len(options)))]


def pointers(sentence: Sentence, length: int) -> npt.NDArray[np.float32]:
    """Return where the slots' words are, (4, length + 1), rows that sum to 1; the last column: nowhere."""
    out = np.zeros((len(SLOTS), length + 1), dtype=np.float32)
    for k, places in enumerate(sentence.slots):
        inside = [place for place in places if place < length]
        if inside:
            out[k, inside] = 1 / len(inside)
        else:
            out[k, length] = 1
    return out
