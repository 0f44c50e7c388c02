"""Control periods from what a graph says: observation, reward and command, in whatever order they come.

A period is complete when its command and its reward are known and the next period has a command, too:
each topic keeps its own order, so nothing of it can come any more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sinew_core.runtime import Step
from sinew_core.types import ExecutedCommand, Observation, RewardEstimate

KEPT = 1000  # of each, beyond which an episode is one that nobody commands


@dataclass(frozen=True, slots=True)
class Last:
    """What was seen and graded last in an episode."""

    observation: Observation
    reward: RewardEstimate


class Periods:
    """Puts the periods of one episode together. Stamps in ns of the station's clock.

    A command belongs to the newest observation before it; of several, the last one counts. A reward that
    is left out is the one before it. What came before the first reward is left out altogether.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin an episode."""
        self._observations: list[Observation] = []
        self._rewards: list[RewardEstimate] = []
        self._commands: list[ExecutedCommand] = []
        self._index = 0

    def observed(self, observation: Observation) -> None:
        """Take an observation; stamps rise."""
        self._observations.append(observation)
        if len(self._observations) > KEPT:
            del self._observations[0]

    def rewarded(self, reward: RewardEstimate) -> None:
        """Take a reward."""
        self._rewards.append(reward)
        del self._rewards[:-KEPT]

    def executed(self, command: ExecutedCommand) -> None:
        """Take a command; its stamp is when it was sent."""
        self._commands.append(command)
        del self._commands[:-KEPT]

    def settled(self) -> bool:
        """Whether the reward and a command of the newest observation are there."""
        if not self._observations:
            return True
        stamp = self._observations[-1].stamp
        return _newest(self._rewards) >= stamp and _newest(self._commands) >= stamp

    def steps(self) -> Iterator[Step]:
        """Yield the periods that are complete, once."""
        while len(self._observations) >= 2:
            this, following = self._observations[0].stamp, self._observations[1].stamp
            if _newest(self._rewards) < this or _newest(self._commands) < following:
                return
            yield from self._pop(following)

    def finish(self) -> tuple[list[Step], Last | None]:
        """Return the periods that are left, and what was seen last; the episode is over.

        The last command is left out: nothing was seen after it.
        """
        steps = list(self.steps())
        while len(self._observations) >= 2:
            steps += self._pop(self._observations[1].stamp)
        last = None
        if self._observations:
            reward = self._reward(self._observations[0].stamp)
            last = None if reward is None else Last(self._observations[0], reward)
        self.begin()
        return steps, last

    def _pop(self, following: int) -> Iterator[Step]:
        """Yield the oldest period, unless it has no command or no reward."""
        observation = self._observations.pop(0)
        reward = self._reward(observation.stamp)
        stamps = [command.stamp for command in self._commands]
        mine = self._commands[: bisect_right(stamps, following - 1)]
        mine = [command for command in mine if command.stamp >= observation.stamp]
        self._commands = self._commands[bisect_right(stamps, following - 1) :]
        if mine and reward is not None:
            yield Step(self._index, observation, replace(reward, stamp=observation.stamp), mine[-1])
            self._index += 1

    def _reward(self, stamp: int) -> RewardEstimate | None:
        """Return the newest reward up to a stamp, and forget the older ones."""
        count = bisect_right([reward.stamp for reward in self._rewards], stamp)
        if count == 0:
            return None
        self._rewards = self._rewards[count - 1 :]
        return self._rewards[0]


def _newest(stamped: list[RewardEstimate] | list[ExecutedCommand]) -> int:
    return stamped[-1].stamp if stamped else -1
