"""Questions without recordings, and a screen on which somebody answers by a plan."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sinew_data.feedback.types import Clip
from sinew_rewards.asking.clip_frames import ClipFrame
from sinew_rewards.asking.question import QUIT, Pictured, Question


def pictured(name: str, shade: int, seconds: float = 1.0, height: int = 24) -> Pictured:
    """Return a clip that gets brighter from a shade on, frame by frame."""
    moments = np.linspace(0, seconds, 11)
    frames = [
        ClipFrame(float(t), np.full((height, 32, 3), shade + i, np.uint8)) for i, t in enumerate(moments)
    ]
    return Pictured(Clip(name, 0, 10), frames, "push the cube")


def question(number: int, count: int = 3) -> Question:
    """Return a question about two clips of its own."""
    return Question(number + 1, count, pictured(f"a{number}", 20), pictured(f"b{number}", 200), 1.0)


class Answering:
    """Gives one key after the other, then quits; an exception among them is raised."""

    def __init__(self, keys: Iterable[str | BaseException], last: Iterable[bool] = ()) -> None:
        self._keys, self._last = iter(keys), iter(last)
        self.asked: list[int] = []
        self.closed = False

    def ask(self, question: Question) -> str:
        self.asked.append(question.number)
        key = next(self._keys, QUIT)
        if isinstance(key, BaseException):
            raise key
        return key

    def ask_again(self) -> bool:
        return next(self._last, False)

    def close(self) -> None:
        self.closed = True
