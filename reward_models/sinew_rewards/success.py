"""Who says that the task is done: any reward model's success probability, as a steady verdict or none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Observation, RewardEstimate, Task

log = logging.getLogger(__name__)


def geometric() -> Mapping[str, Any]:
    """Return the plugin that judges where nothing else is configured."""
    return {"plugin": "sinew_rewards.placed:Placed"}


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """The settings of every reward that leaves success to another one."""

    success: Mapping[str, Any] = field(default_factory=geometric)  # the reward model that judges it
    success_threshold: float = 0.5  # of its probability
    success_frames: int = 1  # observations in a row that change the verdict


class SuccessSource:
    """Asks a reward model whether the task is done.

    A probability of at least `threshold` means yes. The verdict changes only after `frames` observations
    in a row that say otherwise. A model that raises, answers another observation or gives no probability
    in 0 to 1 leaves the verdict unknown, never a success, and the count begins anew.
    """

    def __init__(self, config: JudgedBy, hardware: Hardware, where: str) -> None:
        if not 0.0 < config.success_threshold <= 1.0:
            raise ValueError(
                f"success_threshold: expected 0 < threshold <= 1, got {config.success_threshold}."
            )
        if config.success_frames < 1:
            raise ValueError(f"success_frames: expected at least 1, got {config.success_frames}.")
        context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras}
        self._model = build(config.success, RewardModel, f"{where}: success", **context)
        self.needs_frames = needs_frames(self._model)
        self._threshold, self._frames = config.success_threshold, config.success_frames
        self._verdict, self._against = False, 0
        self._broken = ""  # what the model raised last, so that it is logged once

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._verdict, self._against, self._broken = False, 0, ""
        try:
            self._model.reset(task)
        except Exception as error:  # noqa: BLE001 - any model may be plugged in; it must not cost the reward
            self._say_broken(error)

    def judge(self, observation: Observation) -> bool | None:
        """Tell whether the task is done; None where that is not known."""
        probability = self._probability(observation)
        if probability is None:
            self._verdict, self._against = False, 0
            return None
        says = probability >= self._threshold
        self._against = self._against + 1 if says != self._verdict else 0
        if self._against >= self._frames:
            self._verdict, self._against = says, 0
        return self._verdict

    def _probability(self, observation: Observation) -> float | None:
        try:
            estimate = self._model.estimate(observation)
        except Exception as error:  # noqa: BLE001 - as above
            self._say_broken(error)
            return None
        usable = isinstance(estimate, RewardEstimate) and estimate.stamp == observation.stamp
        probability = estimate.success if usable else None
        return probability if probability is not None and 0.0 <= probability <= 1.0 else None

    def _say_broken(self, error: Exception) -> None:
        message = f"{type(self._model).__name__}: {type(error).__name__}: {error}"
        if message != self._broken:
            log.error("the success classifier failed; success is unknown: %s", message, exc_info=error)
        self._broken = message
