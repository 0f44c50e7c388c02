"""A reward inside another one: built from its plugin, its answers checked, its terms under a prefix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sinew_core.errors import InferenceError
from sinew_core.estimates import answer_fault, needs_frames
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Observation, RewardEstimate, Task


class Member:
    """A wrapped reward. What it raises goes through: only the node knows how to hold the robot."""

    def __init__(self, name: str, model: RewardModel) -> None:
        self.name = name  # the prefix of its terms
        self._model = model
        self.needs_frames = needs_frames(model)

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._model.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return its estimate; InferenceError for anything that is none of this observation."""
        answer = self._model.estimate(observation)
        fault = answer_fault(answer, observation.stamp)
        if fault:
            raise InferenceError(f"{self.name}: {type(self._model).__name__} answered {fault}.")
        return answer

    def terms(self, estimate: RewardEstimate) -> dict[str, float]:
        """Return its value under its name, and its terms under its name and a dot."""
        inner = {f"{self.name}.{name}": float(term) for name, term in estimate.terms.items()}
        return {self.name: float(estimate.value), **inner}


def make_member(
    spec: Mapping[str, Any], name: str, where: str, hardware: Hardware, task: str | None
) -> Member:
    """Build the reward that `spec` names, whose terms are to begin with `name`; raises ConfigError.

    `where` is the wrapper and its key, for the error sentence. Without a `task`, a reward that wants one
    cannot be built.
    """
    return Member(name, build(spec, RewardModel, where, **context_of(hardware, task)))


def context_of(hardware: Hardware, task: str | None) -> dict[str, object]:
    """Return what a plugin's constructor may ask for by name."""
    named = {} if task is None else {"task": task}
    return {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, **named}


def reading(estimate: RewardEstimate, what: str) -> float | None:
    """Return `value`, `success`, `progress`, `uncertainty` or else the term of that name; None if unknown."""
    if what in {"value", "success", "progress", "uncertainty"}:
        found = getattr(estimate, what)
    else:
        found = estimate.terms.get(what)
    return None if found is None else float(found)


def together(*uncertainties: float | None) -> float | None:
    """Return the standard deviation of a sum of independent parts; None where nobody states any."""
    known = [each for each in uncertainties if each is not None]
    return math.hypot(*known) if known else None
