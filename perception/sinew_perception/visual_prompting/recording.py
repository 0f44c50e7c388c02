"""Answers on disk: one JSON file a question, named by the question's key, the marked images beside it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.provider import Reply
from sinew_perception.visual_prompting.question import Question

FOLDER = Path("runs/answers")  # where a live provider keeps answers, and a recorded one looks for them
MODEL = "gpt-4o"
FORMAT = 1
MAX_FILE = 4_000_000  # bytes; a larger one was not written here


@dataclass(frozen=True, slots=True)
class Recording:
    """A folder of answers. Nothing secret is in it: no key, no address of a server."""

    folder: Path

    def find(self, question: Question, model: str) -> Reply | None:
        """Return the stored reply, or None; raises Fault `bad record` for a file that cannot be read."""
        path = self._path(question.key(model))
        if not path.is_file():
            return None
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Fault("bad record", f"{path}: {type(error).__name__}: {error}.") from error

    def store(self, question: Question, model: str, reply: Reply) -> Path:
        """Write a reply and the images it is about; whoever reads meanwhile finds all of it or nothing.

        Raises Fault `bad record` where that cannot be: what is not kept could not be repeated.
        """
        try:
            return self._store(question, model, reply)
        except OSError as error:
            raise Fault("bad record", f"{self.folder}: cannot be written ({error.strerror}).") from error

    def _store(self, question: Question, model: str, reply: Reply) -> Path:
        key = question.key(model)
        for image in question.images:
            _write(self.folder / f"{key}.{image.name}.png", image.png())
        correction = question.correction
        stored = {
            "format": FORMAT,
            "model": reply.model,
            "tokens": reply.tokens,
            "prompt_version": question.prompt_version,
            "sentence": question.sentence,
            "sample": question.sample,
            "system": question.system,
            "user": question.user,
            "correction": None if correction is None else [correction.reply, correction.error],
            "images": [f"{key}.{image.name}.png" for image in question.images],
            "reply": reply.text,
        }
        path = self._path(key)
        _write(path, (json.dumps(stored, indent=1, ensure_ascii=False) + "\n").encode())
        return path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _read(path: Path) -> Reply:
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE} bytes")
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored["format"] != FORMAT:
        raise ValueError(f"format {stored['format']}, expected {FORMAT}")
    return Reply(_expect(stored["reply"], str), _expect(stored["model"], str), 0, live=False)


def _expect(value: Any, kind: type[str]) -> str:
    if not isinstance(value, kind):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    return value


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
