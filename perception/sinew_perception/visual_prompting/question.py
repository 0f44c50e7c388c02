"""A question to a vision-language model: what it is told, what it is shown, and what identifies it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from sinew_core.types import ImageArray


@dataclass(frozen=True, slots=True)
class QuestionImage:
    """An image as the model is shown it, and the one that it was drawn on."""

    name: str
    marked: ImageArray  # (h, w, 3)
    plain: ImageArray  # (h, w, 3)

    def png(self) -> bytes:
        """Return the marked image as a PNG file."""
        done, data = cv2.imencode(".png", cv2.cvtColor(self.marked, cv2.COLOR_RGB2BGR))
        assert done
        return bytes(data.tobytes())


@dataclass(frozen=True, slots=True)
class Correction:
    """An answer that was not accepted, and why."""

    reply: str
    error: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question; asked again after an unusable answer, or as another sample, it is another question."""

    sentence: str
    system: str
    user: str
    images: tuple[QuestionImage, ...]
    schema: Mapping[str, Any]
    prompt_version: int
    sample: int = 0
    correction: Correction | None = None

    def corrected(self, reply: str, error: str) -> Question:
        """Return the question asked again, quoting the answer and what was wrong with it."""
        return replace(self, correction=Correction(reply, error))

    def key(self, model: str) -> str:
        """Return what identifies the question to a model, 64 hexadecimal digits.

        The images count as they were before the marks were drawn; the marks themselves stand in the text.
        So a change of fonts or line widths does not lose a recording.
        """
        digest = hashlib.sha256()
        text = {
            "model": model,
            "prompt_version": self.prompt_version,
            "sentence": self.sentence,
            "system": self.system,
            "user": self.user,
            "schema": self.schema,
            "sample": self.sample,
            "correction": None if self.correction is None else [self.correction.reply, self.correction.error],
        }
        digest.update(json.dumps(text, sort_keys=True).encode())
        for image in self.images:
            digest.update(f"{image.name} {image.plain.shape}".encode())
            digest.update(np.ascontiguousarray(image.plain).tobytes())
        return digest.hexdigest()
