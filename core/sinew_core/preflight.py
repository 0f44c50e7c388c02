"""What is looked at before an arm may move: one line a check, and who can be asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from sinew_core.errors import DeviceError

Verdict = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `wrong` forbids to move, `note` only tells."""

    name: str
    verdict: Verdict
    sentence: str


@runtime_checkable
class Checked(Protocol):
    """A device or a station that can say how it is. Nothing moves meanwhile."""

    def checks(self) -> Sequence[Check]:
        """Return how each part is."""


class NotReadyError(DeviceError):
    """A station that may not move; `checks` tell all that was looked at."""

    def __init__(self, name: str, checks: Sequence[Check]) -> None:
        wrong = (f"{check.name}: {check.sentence}" for check in checks if check.verdict == "wrong")
        super().__init__(f"{name}: not ready to move: {' '.join(wrong)}")
        self.checks = tuple(checks)
