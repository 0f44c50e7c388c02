"""What an actor makes of a graph's messages: transitions, in fragments, episode by episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sinew_core.hardware import Hardware
from sinew_core.types import ExecutedCommand, Observation, RewardEstimate
from sinew_policies.learned.encoding import Encoding
from sinew_policies.learned.tip_actions import TipActionConfig, TipActions

from sinew_training.fragments import Fragments
from sinew_training.grading import Grading
from sinew_training.periods import Periods
from sinew_training.transitions import Transitions
from sinew_training.wire import Fragment

SUCCESS, DISCARDED = "success", "discarded"
EARLY = 100  # messages of an episode whose beginning has not been heard of


@dataclass(frozen=True, slots=True)
class Learnt:
    """How an episode is learnt from: what is seen, the layout of actions, and what decisions are worth."""

    encoding: Encoding
    actions: TipActionConfig
    grading: Grading


class Experience:
    """Collects an episode's transitions and hands them out as fragments.

    An episode ends as the station says: success is terminal, anything else only cuts it off. Its last
    command is left out, because nothing is seen after it in a graph.
    """

    def __init__(self, hardware: Hardware, size: int, give: Callable[[Fragment], None]) -> None:
        self._hardware = hardware
        self._fragments = Fragments(size, give)
        self._periods = Periods()
        self._transitions: Transitions | None = None  # None: this episode is not learnt from
        self._episode = 0
        self._outcome = ""  # of an episode whose last messages may still come
        self._early: list[tuple[int, RewardEstimate | ExecutedCommand]] = []

    def begin(self, episode: int, learnt: Learnt | None) -> None:
        """Begin an episode; with None, nothing is made of it."""
        self._episode, self._outcome = episode, ""
        self._periods.begin()
        self._transitions = None
        if learnt is not None:
            actions = TipActions(learnt.actions, self._hardware)
            self._transitions = Transitions(self._fragments, learnt.encoding, actions, learnt.grading)
            self._transitions.begin()
        early, self._early = self._early, []
        for number, item in early:
            self._take(number, item)

    def observed(self, observation: Observation) -> None:
        """Take an observation that was acted on."""
        self._periods.observed(observation)
        self._advance()

    def rewarded(self, episode: int, reward: RewardEstimate) -> None:
        """Take a reward."""
        self._take(episode, reward)

    def executed(self, episode: int, command: ExecutedCommand) -> None:
        """Take a command."""
        self._take(episode, command)

    def ended(self, episode: int, outcome: str) -> None:
        """Note how the episode ended; `close` it when it is `settled`, or after a while."""
        if episode == self._episode:
            self._outcome = outcome

    @property
    def ending(self) -> bool:
        """Whether the episode has ended and is not closed."""
        return bool(self._outcome)

    @property
    def settled(self) -> bool:
        """Whether all that belongs to the newest observation has come."""
        return self._periods.settled()

    def close(self) -> str:
        """Hand out the rest; return the outcome, '' for an episode that was broken off."""
        outcome, self._outcome = self._outcome, ""
        steps, last = self._periods.finish()
        transitions, self._transitions = self._transitions, None
        if transitions is None:
            return outcome
        if outcome == DISCARDED:
            self._fragments.drop()
            return outcome
        for step in steps:
            transitions.take(step)
        if last is not None:
            transitions.end(last.observation, last.reward, terminated=outcome == SUCCESS)
        self._fragments.cut()
        return outcome

    def _take(self, episode: int, item: RewardEstimate | ExecutedCommand) -> None:
        if episode > self._episode:
            self._early = [*self._early[-EARLY:], (episode, item)]
        if episode != self._episode:
            return
        if isinstance(item, RewardEstimate):
            self._periods.rewarded(item)
        else:
            self._periods.executed(item)
        self._advance()

    def _advance(self) -> None:
        for step in self._periods.steps():
            if self._transitions is not None:
                self._transitions.take(step)
