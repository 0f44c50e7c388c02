"""A provider that replays what a model once answered, without any network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.provider import Reply
from sinew_perception.visual_prompting.question import Question
from sinew_perception.visual_prompting.recording import FOLDER, MODEL, Recording


@dataclass(frozen=True, slots=True)
class Config:
    """Where the answers are, and whose."""

    folder: Path = FOLDER
    model: str = MODEL


class Recorded:
    """Answers from a folder that a live run has filled."""

    def __init__(self, config: Config) -> None:
        self._recording, self._model = Recording(config.folder), config.model

    def begin(self) -> None:
        """Begin an episode: there is nothing to count."""

    def ask(self, question: Question) -> Reply:
        """Return the stored reply; raises Fault `not recorded` with the key that is missing."""
        reply = self._recording.find(question, self._model)
        if reply is None:
            raise Fault(
                "not recorded",
                f"{self._recording.folder} holds no answer {question.key(self._model)} of {self._model} to "
                f"{question.sentence!r} for these images.",
            )
        return reply
