"""A stand-in for a vision-language model that knows how good each picture is, and errs as often as stated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.types import ImageArray
from sinew_perception.visual_prompting.provider import Reply
from sinew_perception.visual_prompting.question import Question

MODEL = "scripted"
SAID = re.compile(r"worth (-?\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class ScriptConfig:
    """How it answers."""

    flip: float = 0.0  # share of answers that are the opposite
    tie: float = 0.0  # difference below which it sees none
    done: float = 1.0  # worth from which on the goal is achieved
    seed: int = 0


class ScriptedVlm:
    """Answers the questions of judges in their form. An answer depends on the question and the seed alone."""

    def __init__(self, config: ScriptConfig, worth: Mapping[str, float]) -> None:
        self._config, self._worth = config, dict(worth)
        self.asked: list[Question] = []

    def begin(self) -> None:
        """Begin a pair: there is nothing to count."""

    def ask(self, question: Question) -> Reply:
        """Return the reply."""
        self.asked.append(question)
        answers = {"difference": self._describe, "better": self._decide, "change": self._step}
        kind = next(name for name in answers if name in question.schema["properties"])
        return Reply(json.dumps(answers[kind](question)), MODEL)

    def _describe(self, question: Question) -> Mapping[str, object]:
        first, second = (f"worth {each:.6f}" for each in self._values(question))
        return {"first": first, "second": second, "difference": "see there"}

    def _decide(self, question: Question) -> Mapping[str, object]:
        first, second = (float(each) for each in SAID.findall(question.user))
        if abs(first - second) <= self._config.tie:
            return {"better": -1}
        return {"better": int((second > first) != self._errs(question))}

    def _step(self, question: Question) -> Mapping[str, object]:
        before, after = self._values(question)
        wrong, gained = self._errs(question), after - before
        change = (
            "none" if abs(gained) <= self._config.tie else "nearer" if (gained > 0) != wrong else "farther"
        )
        return {"seen": "a step", "change": change, "done": (after >= self._config.done) != wrong}

    def _values(self, question: Question) -> list[float]:
        return [self._worth[picture_key(image.plain)] for image in question.images]

    def _errs(self, question: Question) -> bool:
        digest = hashlib.sha256(f"{question.key(MODEL)} {self._config.seed}".encode()).digest()
        return bool(np.random.default_rng(list(digest[:8])).random() < self._config.flip)


def picture_key(picture: ImageArray) -> str:
    """Return what tells a picture from others."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
