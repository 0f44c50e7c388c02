"""What a judge makes of two looks, and the seam of judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from sinew_data.feedback.types import Comparison, Mark

from sinew_rewards.judges.look import Look

Dropped = Literal["", "alike", "undecided", "disagreement"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of two looks, or why nothing is."""

    said: tuple[Comparison | Mark, ...] = ()
    who: str = ""  # the model
    dropped: Dropped = ""  # alike: nobody was asked


class Judge(Protocol):
    """Judges two looks."""

    def judge(self, first: Look, second: Look) -> Verdict:
        """Return the verdict; raises Fault with a named outcome where no usable answer came."""
