"""Whose turn it is when a task and its way back alternate, and when a person would be needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sinew_core.runtime import EpisodeResult

from sinew_eval.statistics import wilson_interval

Way = Literal["forward", "backward"]
OTHER: Mapping[Way, Way] = {"forward": "backward", "backward": "forward"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One episode to be run; `again` is None for a fresh scene, else what is asked of it as it lies.

    An empty `again` undoes what was asked last.
    """

    seed: int  # of the scene
    way: Way
    again: str | None


class Alternation:
    """Forward, backward, forward, ...: each way in the scene that the last one left behind.

    What fails is tried again as it lies, up to `retries` times; then the scene has to be put in order.
    `sentences` are what is asked of either way where the simulator is not to choose the words.
    """

    def __init__(self, seed: int, retries: int, sentences: Mapping[Way, str] | None = None) -> None:
        self._seed, self._retries, self._sentences = seed, retries, sentences or {}
        self._turn = Turn(seed, "forward", None)
        self._failures = 0  # of the present way, in a row
        self._since_reset = self.longest = 0  # episodes
        self.resets = 0  # that a person would have had to make, the first scene apart
        self._results: dict[Way, list[bool]] = {"forward": [], "backward": []}

    @property
    def turn(self) -> Turn:
        """The episode that is next."""
        return self._turn

    def tell(self, result: EpisodeResult) -> None:
        """Take how the present turn ended, and move on."""
        turn = self._turn
        self._results[turn.way].append(result.success)
        self._since_reset += 1
        self.longest = max(self.longest, self._since_reset)
        if result.success:
            self._failures = 0
            way = OTHER[turn.way]
            self._turn = Turn(turn.seed, way, self._sentences.get(way, ""))
            return
        self._failures += 1
        if self._failures <= self._retries:
            self._turn = Turn(turn.seed, turn.way, result.instruction)
            return
        self._failures = self._since_reset = 0
        self.resets += 1
        self._turn = Turn(self._seed + self.resets, "forward", None)

    def summary(self) -> dict[str, Any]:
        """Return the figures for summary.json."""
        ways: dict[str, Any] = {
            way: {
                "episodes": len(done),
                "successes": sum(done),
                "success_rate": sum(done) / len(done) if done else None,
                "wilson_95": list(wilson_interval(sum(done), len(done))),
            }
            for way, done in self._results.items()
        }
        return {**ways, "person_resets": self.resets, "longest_without_reset": self.longest}
