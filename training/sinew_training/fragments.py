"""Cuts an episode's transitions into fragments of a few, each complete in itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sinew_data.replay.layout import BEGIN, PERSON, TERMINATED, TRUNCATED
from sinew_policies.learned.encoding import Columns

from sinew_training.wire import MOST, Fragment


class Fragments:
    """A sink of transitions that hands out fragments of at most `size` of them."""

    def __init__(self, size: int, give: Callable[[Fragment], None]) -> None:
        if not 1 <= size <= MOST:
            raise ValueError(f"fragment: expected 1 to {MOST} transitions, got {size}.")
        self._size, self._give = size, give
        self._observations: list[Columns] = []
        self._actions: list[npt.NDArray[np.float32]] = []
        self._rewards: list[float] = []
        self._flags: list[int] = []

    def begin(self, observation: Columns) -> None:
        """Begin an episode; what is left of one that had no end is handed out first."""
        self.cut()
        self._start(observation, BEGIN)

    def add(
        self,
        action: npt.NDArray[np.float32],
        reward: float,
        observation: Columns,
        *,
        terminated: bool = False,
        truncated: bool = False,
        intervention: bool = False,
    ) -> None:
        """Take one transition."""
        self._actions.append(action)
        self._rewards.append(reward)
        self._observations.append(observation)
        self._flags.append(terminated * TERMINATED | truncated * TRUNCATED | intervention * PERSON)
        if terminated or truncated or len(self._actions) == self._size:
            self.cut()

    def cut(self) -> None:
        """Hand out what there is, and go on from its last observation."""
        if not self._actions:
            return
        names = self._observations[0]
        fragment = Fragment(
            {name: np.stack([row[name] for row in self._observations]) for name in names},
            np.stack(self._actions).astype(np.float32),
            np.array(self._rewards, np.float32),
            np.array(self._flags, np.uint8),
        )
        self._start(self._observations[-1], 0)
        self._give(fragment)

    def drop(self) -> None:
        """Forget what was not handed out."""
        self._actions, self._rewards = [], []
        self._observations, self._flags = [], []

    def _start(self, observation: Columns, flag: int) -> None:
        self._observations, self._actions = [observation], []
        self._rewards, self._flags = [], [flag]
