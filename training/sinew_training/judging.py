"""Success as a reward model sees it, in place of the simulator's own: all that a real station has.

Episodes of a training then end when the judge says so, and what ended so counts as success. The
simulator's truth decides nothing; it measures the policy in the end.
"""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.protocols import RewardModel, Station, World
from sinew_core.types import Observation, RewardEstimate, Task
from sinew_rewards.success import JudgedBy, SuccessSource


class Judge:
    """What a reward model holds of the observation that it saw last; what it does not know is not done."""

    def __init__(self, config: JudgedBy, hardware: Hardware) -> None:
        self._source = SuccessSource(config, hardware, "judge")
        self.done = False

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self.done = False
        self._source.reset(task)

    def look(self, observation: Observation) -> None:
        """Take an observation."""
        self.done = self._source.judge(observation) is True


class JudgedReward:
    """A reward model whose observations a judge sees, too."""

    def __init__(self, reward: RewardModel, judge: Judge) -> None:
        self._reward, self._judge = reward, judge

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._judge.reset(task)
        self._reward.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward model's estimate, once the judge has looked."""
        self._judge.look(observation)
        return self._reward.estimate(observation)


class JudgedStation:
    """A simulated station whose world knows of success what a judge says."""

    def __init__(self, station: Station, judge: Judge) -> None:
        assert station.world is not None
        self._station = station
        self.arm, self.cameras = station.arm, station.cameras
        self.world: World = _JudgedWorld(station.world, judge)

    def close(self) -> None:
        """Stop the arm and release every device."""
        self._station.close()


class _JudgedWorld:
    def __init__(self, world: World, judge: Judge) -> None:
        self._world, self._judge = world, judge

    @property
    def stamp(self) -> int:
        return self._world.stamp

    def reset(self, seed: int, instruction: str = "") -> Task:
        return self._world.reset(seed, instruction)

    def ask(self, instruction: str = "") -> Task:
        return self._world.ask(instruction)

    def step(self, duration: int) -> None:
        self._world.step(duration)

    def success(self) -> bool:
        return self._judge.done
