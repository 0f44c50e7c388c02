"""Symmetric sampling from what was just done and what was demonstrated, and what goes where.

The storage rule is that of HIL-SERL (Luo et al. 2024): every step goes to the online buffer, the steps
in which a person acted go to the demonstrations as well. Sampling half and half is that of RLPD
(Ball et al. 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sinew_data.replay.batch import Batch, empty_batch
from sinew_data.replay.buffer import ReplayBuffer
from sinew_data.replay.checks import checked_sampling
from sinew_data.replay.errors import ReplayError
from sinew_data.replay.layout import (
    ACTION,
    FLAGS,
    PERSON,
    REWARD,
    TERMINATED,
    TRUNCATED,
    AnyArray,
    observation_field,
)
from sinew_data.replay.schema import differences


class Mixture:
    """Two buffers of one schema, sampled together; `share` is the part of the demonstrations."""

    def __init__(self, online: ReplayBuffer, demonstrations: ReplayBuffer, share: float = 0.5) -> None:
        if not 0.0 <= share <= 1.0:
            raise ReplayError(f"mixture: share is {share}; expected 0 to 1.")
        wrong = differences(demonstrations.schema, online.schema)
        if wrong:
            raise ReplayError(f"mixture: of the demonstrations, {'; '.join(wrong)} for the online buffer.")
        self.online, self.demonstrations, self.share = online, demonstrations, share
        self._driving = False  # a person acted in the last step: the next one goes on with it
        self._batch: Batch | None = None

    def demonstrated(self, size: int) -> int:
        """Return how many of a batch of that size are demonstrations; they are its last rows."""
        if not len(self.demonstrations):
            return 0
        return round(size * self.share) if len(self.online) else size

    def sample(self, rng: np.random.Generator, size: int, *, n_step: int = 1, discount: float = 1.0) -> Batch:
        """Return random transitions, first the online ones, valid until the next call.

        While one of the buffers is empty, all are of the other one.
        """
        checked_sampling(size, n_step, discount)
        if self._batch is None or len(self._batch.reward) != size:
            self._batch = empty_batch(self.online.schema, size)
        border = size - self.demonstrated(size)
        parts = ((self.online, slice(0, border)), (self.demonstrations, slice(border, size)))
        for buffer, rows in parts:
            if rows.start < rows.stop:
                buffer.fill(self._batch.part(rows), rng, n_step=n_step, discount=discount)
        return self._batch

    def begin(self, observation: Mapping[str, AnyArray]) -> None:
        """Start an episode of the online buffer."""
        self.online.begin(observation)
        self._driving = False

    def add(
        self,
        action: AnyArray,
        reward: float,
        observation: Mapping[str, AnyArray],
        *,
        terminated: bool = False,
        truncated: bool = False,
        intervention: bool = False,
    ) -> None:
        """Add a step to the online buffer, and a person's to the demonstrations, too.

        There a run of such steps is an episode of its own, truncated where the person lets go.
        """
        before = self.online.newest if intervention and not self._driving else None

        def write(buffer: ReplayBuffer) -> None:
            ends = {"terminated": terminated, "truncated": truncated}
            buffer.add(action, reward, observation, **ends, intervention=intervention)

        write(self.online)
        if before is not None:
            self.demonstrations.begin(before)
        if intervention:
            write(self.demonstrations)
        self._driving = intervention

    def imitate(self, longest: int | None = None) -> int:
        """Let the newest episode of the online buffer demonstrate, too; return its transitions.

        One of more than `longest` does not, and 0 is returned; nor does one in which a person acted: those
        steps demonstrate already, and what led to a takeover is nothing to imitate.
        """
        first, *steps = self.online.newest_episode() or [{}]
        helped = any(int(row[FLAGS]) & PERSON for row in steps)
        if not steps or helped or (longest is not None and len(steps) > longest):
            return 0
        self.demonstrations.begin(self._seen(first))
        for row in steps:
            flags = int(row[FLAGS])
            self.demonstrations.add(
                row[ACTION],
                float(row[REWARD]),
                self._seen(row),
                terminated=bool(flags & TERMINATED),
                truncated=bool(flags & TRUNCATED),
            )
        self._driving = False
        return len(steps)

    def _seen(self, row: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        return {name: row[observation_field(name)] for name in self.online.schema.observation}
