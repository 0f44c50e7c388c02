"""Why a question comes to nothing: a fixed word that programs can look at, and a sentence for people."""

from __future__ import annotations

from typing import Literal

Word = Literal[
    "empty sentence",  # nothing was asked
    "nothing in view",
    "no image",
    "wrong image",
    "no key",
    "unreachable",
    "timeout",
    "http",  # followed by the status
    "too large",
    "malformed",
    "unknown mark",
    "budget",
    "disagreement",
    "not recorded",
    "bad record",
    "ambiguous",
    "out of reach",
    "declined",  # by the model, in its own words
]


class Fault(Exception):  # noqa: N818 - an outcome rather than an error: it becomes a Refusal
    """An outcome that is no affordance."""

    def __init__(self, word: Word, sentence: str, detail: str = "") -> None:
        super().__init__(f"{word}{f' {detail}' if detail else ''}: {sentence}")
        self.word, self.sentence, self.detail = word, sentence, detail

    def without(self, secret: str) -> Fault:
        """Return the fault with a secret struck out of its sentence."""
        return Fault(self.word, self.sentence.replace(secret, "***"), self.detail)


def quoted(text: str, limit: int = 200) -> str:
    """Return foreign text on one line, printable and cut off, to be shown within a sentence."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
