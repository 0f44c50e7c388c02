"""Questions as files, for whoever works over SSH: a picture or a video to open, keys in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_rewards.asking.keys import read_key
from sinew_rewards.asking.question import HELP, KEYS, LAST, QUIT, UNDO, Question
from sinew_rewards.asking.question_sheet import question_sheet
from sinew_rewards.asking.side_by_side import write_video


class FileScreen:
    """Writes each question over the last one, so that a viewer that is open shows the present one."""

    def __init__(self, sheet: Path | None, video: Path | None, say: Callable[[str], None]) -> None:
        self._sheet, self._video, self._say = sheet, video, say

    def ask(self, question: Question) -> str:
        """Write the files and wait for a key."""
        written = [str(path) for path in (self._sheet, self._video) if path is not None]
        if self._sheet is not None:
            _replace(self._sheet, lambda path: question_sheet(question).save(path))
        if self._video is not None:
            _replace(self._video, lambda path: write_video(path, question))
        self._say(f"\n{question.title}\n  {', '.join(written)}\n  {HELP}")
        return read_key(KEYS, sys.stdin)

    def ask_again(self) -> bool:
        """Wait for a key: undo, or quit."""
        self._say(f"\n{LAST}")
        return read_key((UNDO, QUIT), sys.stdin) == UNDO

    def close(self) -> None:
        """Leave the last question's files."""


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside `path` and move it there, so that no viewer sees half of it."""
    aside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(aside)
        aside.replace(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
