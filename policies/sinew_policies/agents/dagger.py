"""Learning from takeovers: the person's steps join the demonstrations, and cloning learns from both.

HG-DAgger (Kelly et al. 2019): the policy drives, a person takes over when needed, and only what the
person did is imitated. A given `share` weighs it up, as in intervention weighted regression (Mandlekar
et al. 2020), so that a few corrections count beside many demonstrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch

from sinew_policies.agents.agent import (
    AgentError,
    Array,
    ReplaySequences,
    TensorSequences,
    to_sequences,
)
from sinew_policies.agents.sequences import SequenceAgent


class Source(Protocol):
    """What can be imitated; a replay buffer can."""

    def __len__(self) -> int:
        """Return how many steps there are."""

    def sample_sequences(self, rng: np.random.Generator, size: int, horizon: int) -> ReplaySequences:
        """Return `size` sequences of `horizon` actions."""


class Store(Source, Protocol):
    """A source that takes steps, as a replay buffer does."""

    def begin(self, observation: Mapping[str, Array]) -> None:
        """Start an episode; one that is running is broken off."""

    def add(
        self,
        action: Array,
        reward: float,
        observation: Mapping[str, Array],
        *,
        terminated: bool = False,
        truncated: bool = False,
        intervention: bool = False,
    ) -> None:
        """Take a step that led to `observation`; `terminated` and `truncated` end the episode."""


class Aggregate:
    """Demonstrations and takeovers as one set; fed every step of every episode, it keeps the person's.

    Each run of takeover steps is an episode of its own in `takeovers`, so that no sequence of actions runs
    on into what the policy did. `share` of what is sampled is takeovers; without one, all steps count alike.
    """

    def __init__(self, demonstrations: Source, takeovers: Store, share: float | None = None) -> None:
        if share is not None and not 0 <= share <= 1:
            raise AgentError(f"dagger: expected a share of takeovers from 0 to 1, got {share}")
        self._demonstrations, self._takeovers, self._share = demonstrations, takeovers, share
        self._seen: Mapping[str, Array] | None = None  # the newest observation; None between episodes
        self._driving = False  # a person is

    def __len__(self) -> int:
        """Return how many steps can be imitated."""
        return len(self._demonstrations) + len(self._takeovers)

    def begin(self, observation: Mapping[str, Array]) -> None:
        """Start an episode; one that is running is broken off."""
        self._driving, self._seen = False, _copied(observation)

    def add(
        self,
        action: Array,
        reward: float,
        observation: Mapping[str, Array],
        *,
        terminated: bool = False,
        truncated: bool = False,
        intervention: bool = False,
    ) -> None:
        """Take a step, and keep it if a person acted in it."""
        if self._seen is None:
            raise AgentError("dagger: no episode is running; begin(observation) starts one")
        if intervention:
            if not self._driving:
                self._takeovers.begin(self._seen)
            self._takeovers.add(
                action, reward, observation, terminated=terminated, truncated=truncated, intervention=True
            )
        over = terminated or truncated
        self._driving = intervention and not over
        self._seen = None if over else _copied(observation)

    def sample(self, rng: np.random.Generator, size: int, horizon: int) -> TensorSequences:
        """Return `size` sequences of `horizon` actions from both sources, valid until the next call."""
        if len(self) == 0:
            raise AgentError("dagger: nothing to imitate, neither a demonstration nor a takeover")
        corrections = int(rng.binomial(size, self._probability()))
        parts = (self._demonstrations, size - corrections), (self._takeovers, corrections)
        drawn = [
            to_sequences(source.sample_sequences(rng, count, horizon)) for source, count in parts if count > 0
        ]
        return drawn[0] if len(drawn) == 1 else _joined(*drawn)

    def _probability(self) -> float:
        """Return how likely a sequence is a takeover's."""
        if len(self._takeovers) == 0:
            return 0.0
        if len(self._demonstrations) == 0:
            return 1.0
        return self._share if self._share is not None else len(self._takeovers) / len(self)


def imitate(
    agent: SequenceAgent, aggregate: Aggregate, rng: np.random.Generator, *, updates: int, size: int
) -> dict[str, float]:
    """Train an agent on the aggregate and return its metrics, averaged over the last tenth of the updates.

    After each round of takeovers HG-DAgger trains a fresh agent; the one that drove, given again, is
    fine-tuned, which takes fewer updates.
    """
    if updates < 1:
        raise AgentError(f"dagger: expected at least one update, got {updates}")
    reports = [agent.update(aggregate.sample(rng, size, agent.sequence)) for _ in range(updates)]
    last = reports[-max(1, updates // 10) :]
    return {name: float(np.mean([report[name] for report in last])) for name in last[0]}


def _copied(observation: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.array(column) for name, column in observation.items()}


def _joined(first: TensorSequences, second: TensorSequences) -> TensorSequences:
    columns = {
        name: torch.cat([first.observation[name], second.observation[name]]) for name in first.observation
    }
    return TensorSequences(
        columns, torch.cat([first.actions, second.actions]), torch.cat([first.valid, second.valid])
    )
