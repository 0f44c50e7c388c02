"""A person for experiments: takes over when progress stalls, guides back, and lets go again.

It stands where a teleoperator stands (`run_episode(human=...)`): an empty chunk means that it does not
want the arm. The policy's chunk is discarded at the takeover, and it begins anew at the hand-back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.models import make_policy
from sinew_core.protocols import Policy, RewardModel
from sinew_core.types import NANOSECONDS, ActionChunk, Observation, Task


@dataclass(frozen=True, slots=True)
class ScriptedHumanConfig:
    """When it takes over and for how long."""

    patience: float = 2.0  # s without progress until it takes over
    least: float = 0.02  # of the way, that counts as progress
    turn: float = 3.0  # s for which it keeps the arm at most
    progress_wanted: float = 0.25  # of the way, after which it gives back

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.patience, self.turn, self.least, self.progress_wanted) <= 0:
            raise ValueError("patience, least, turn and progress_wanted must be positive.")


class ScriptedHuman:
    """Watches a progress estimate and acts by a scripted policy within a budget of control periods.

    The budget is for the whole training: `left` says what remains of it.
    """

    def __init__(
        self, config: ScriptedHumanConfig, hardware: Hardware, task: str, progress: RewardModel, budget: int
    ) -> None:
        self._config, self._progress = config, progress
        self._hands: Policy = make_policy("affordance_follower", hardware, task)
        self._joints, self._dt = len(hardware.robot.joint_names), hardware.config.control_period
        self.left = budget
        self._best, self._since = 0.0, 0
        self._began: int | None = None  # ns, stamp of the takeover
        self._from = 0.0  # progress at the takeover
        self._task: Task | None = None

    def reset(self, task: Task) -> None:
        """Begin to watch."""
        self._task = task
        self._progress.reset(task)
        self._best, self._since, self._began = 0.0, 0, None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return one row while it drives, none while it watches."""
        estimate = self._progress.estimate(observation)
        progress = 0.0 if estimate.progress is None else estimate.progress
        now = observation.stamp
        if self._since == 0 or progress > self._best + self._config.least:
            self._best, self._since = max(progress, self._best), now
        if self._began is not None and self._lets_go(now, progress):
            self._began, self._since = None, now
        if self._began is None and self.left > 0 and now - self._since > self._config.patience * NANOSECONDS:
            assert self._task is not None
            self._began, self._from = now, progress
            self._hands.reset(self._task)
        if self._began is None:
            return ActionChunk(now, self._dt, np.zeros((0, self._joints)))
        self.left -= 1
        return replace(self._hands.infer(observation), stamp=now)

    def _lets_go(self, now: int, progress: float) -> bool:
        assert self._began is not None
        long_enough = now - self._began > self._config.turn * NANOSECONDS
        return long_enough or self.left <= 0 or progress > self._from + self._config.progress_wanted
