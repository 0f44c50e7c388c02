"""The seam of artefact scores."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sinew_core.types import Observation, RewardEstimate, Task


@runtime_checkable
class ArtefactScore(Protocol):
    """Tells how far an estimate may be owed to an artefact; its constructor is a plugin's."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        """Return 0 (none) to 1 (surely), given what the reward said; None where that is not known."""
