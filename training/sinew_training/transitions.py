"""Control periods to transitions: what was executed, by whom, and what came of it, decision by decision.

A decision lasts `periods` control periods, or fewer where a person takes over or gives back. Its action
is read back from the joint targets that were really sent, so safety filters and people are in it. What
it is worth is decided by a `Grading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sinew_core.authority import HUMAN
from sinew_core.runtime import Step
from sinew_core.types import FloatArray, Observation, RewardEstimate
from sinew_policies.learned.encoding import Columns, Encoding
from sinew_policies.learned.tip_actions import TipActions

from sinew_training.grading import Grading, MeanValue


class Sink(Protocol):
    """Whatever keeps transitions: a replay buffer, a mixture of two, or a list."""

    def begin(self, observation: Columns) -> None:
        """Begin an episode."""

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
        """Take one transition, given the observation that it led to."""


@dataclass(slots=True)
class _Decision:
    """One that is under way."""

    before: FloatArray  # (n,) the last target sent before it
    human: bool
    start: RewardEstimate  # of the observation that it began with
    estimates: list[RewardEstimate] = field(default_factory=list)  # of those that followed
    periods: int = 0
    after: FloatArray | None = None  # (n,) the last target sent
    measured: FloatArray | None = None  # (n,) joints at that time


class Transitions:
    """Cuts an episode's control periods into decisions and hands them to a sink as they are complete."""

    def __init__(
        self,
        sink: Sink,
        encoding: Encoding,
        actions: TipActions,
        grading: Grading | None = None,
        *,
        skip: int = 0,  # control periods of each episode, before the first decision
        sent: FloatArray | None = None,  # the last target before the first period; None: where the joints are
    ) -> None:
        self._sink, self._encoding, self._actions = sink, encoding, actions
        self._periods, self._grading = actions.config.periods, grading or MeanValue()
        self._skip = self._to_skip = skip
        self._open: _Decision | None = None
        self._sent = sent
        self.count = 0  # handed over in this episode
        self.interventions = 0  # of these, by a person
        self.total = 0.0  # the episode's return, undiscounted

    def begin(self) -> None:
        """Begin an episode."""
        self._open, self._sent, self._to_skip = None, None, self._skip
        self.count, self.interventions, self.total = 0, 0, 0.0

    def take(self, step: Step) -> None:
        """Take one control period; raises ValueError for a reward that is not finite."""
        human = step.executed.source == HUMAN
        if self._to_skip > 0:
            self._to_skip -= 1
            self._sent = step.executed.position
            return
        if self._sent is None:
            self._sent = step.observation.joints.position
        if self._open is None and self.count == 0:
            self._sink.begin(self._encoding.encode(step.observation))
        self._grade(step.reward)
        decision = self._open
        if decision is not None and (decision.periods == self._periods or decision.human != human):
            self._close(decision, step.observation)
            decision = None
        if decision is None:
            decision = self._open = _Decision(self._sent, human, step.reward)
        decision.periods += 1
        decision.after = self._sent = step.executed.position
        decision.measured = step.observation.joints.position

    def end(self, observation: Observation, reward: RewardEstimate, *, terminated: bool) -> None:
        """Take the observation after the last command; terminated, or cut off by time or a person."""
        self._grade(reward)
        if self._open is not None:
            self._close(self._open, observation, terminated=terminated, truncated=not terminated)

    def _grade(self, estimate: RewardEstimate) -> None:
        if not np.isfinite(estimate.value):
            raise ValueError(f"the reward model answered {estimate.value}; expected a finite number.")
        if self._open is not None:
            self._open.estimates.append(estimate)

    def _close(
        self, decision: _Decision, observation: Observation, terminated: bool = False, truncated: bool = False
    ) -> None:
        assert decision.after is not None
        assert decision.measured is not None
        reward = self._grading.reward(decision.start, decision.estimates, terminated)
        action = self._actions.action(decision.before, decision.after, decision.measured)
        self._sink.add(
            action,
            reward,
            self._encoding.encode(observation),
            terminated=terminated,
            truncated=truncated,
            intervention=decision.human,
        )
        self.count += 1
        self.interventions += decision.human
        self.total += reward
        self._open = None


class Demonstrated:
    """Cuts an episode into decisions as often as a decision has control periods, each time one later.

    What a learner would have decided in between, it would have decided alike, so that a demonstration
    shows that many times as much.
    """

    def __init__(
        self, encoding: Encoding, actions: TipActions, grading: Grading, sent: FloatArray | None = None
    ) -> None:
        self._gathered = [Gathered() for _ in range(actions.config.periods)]
        self._cuts = [
            Transitions(gathered, encoding, actions, grading, skip=skip, sent=sent)
            for skip, gathered in enumerate(self._gathered)
        ]

    def take(self, step: Step) -> None:
        """Take one control period."""
        for cut in self._cuts:
            cut.take(step)

    def end(self, observation: Observation, reward: RewardEstimate, *, terminated: bool) -> None:
        """Take the observation after the last command."""
        for cut in self._cuts:
            cut.end(observation, reward, terminated=terminated)

    def hand_over(self, sinks: Sequence[Sink], *, without_first: bool = False) -> int:
        """Write the episode to sinks, once for each cut that found a decision; return the transitions.

        Without the first cut, which is the learner's own, where that one is written already.
        """
        found = [gathered for gathered in self._gathered[int(without_first) :] if gathered.steps]
        for gathered in found:
            gathered.hand_over(sinks)
        return sum(len(gathered.steps) for gathered in found)


class Takeovers:
    """The parts of an episode in which a person acted, each a demonstration of its own."""

    def __init__(self, encoding: Encoding, actions: TipActions, grading: Grading) -> None:
        self._made = encoding, actions, grading
        self._open: Demonstrated | None = None
        self._sent: FloatArray | None = None
        self.shown: list[Demonstrated] = []

    def take(self, step: Step) -> None:
        """Take one control period."""
        if step.executed.source == HUMAN:
            if self._open is None:
                self._open = Demonstrated(*self._made, sent=self._sent)
            self._open.take(step)
        else:
            self.end(step.observation, step.reward, terminated=False)
        self._sent = step.executed.position

    def end(self, observation: Observation, reward: RewardEstimate, *, terminated: bool) -> None:
        """Take what was seen after a takeover, or after the last command."""
        if self._open is not None:
            self._open.end(observation, reward, terminated=terminated)
            self.shown.append(self._open)
            self._open = None


# action, reward, next observation, terminated, truncated, intervention
Transition = tuple[npt.NDArray[np.float32], float, Columns, bool, bool, bool]


@dataclass(slots=True)
class Gathered:
    """An episode's transitions in memory, so that an episode is kept whole or not at all."""

    first: Columns = field(default_factory=dict)
    steps: list[Transition] = field(default_factory=list)

    def begin(self, observation: Columns) -> None:
        """Begin an episode; what was gathered before is dropped."""
        self.first = observation
        self.steps = []

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
        self.steps.append((action, reward, observation, terminated, truncated, intervention))

    def hand_over(self, sinks: Sequence[Sink]) -> None:
        """Write the episode to other sinks."""
        for sink in sinks:
            sink.begin(self.first)
            for action, reward, observation, terminated, truncated, intervention in self.steps:
                sink.add(
                    action,
                    reward,
                    observation,
                    terminated=terminated,
                    truncated=truncated,
                    intervention=intervention,
                )
