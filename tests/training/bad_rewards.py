"""Reward models that go wrong in the middle of an episode."""

from sinew_core.types import RewardEstimate


class NotANumber:
    def reset(self, task):
        self._left = 5

    def estimate(self, observation):
        self._left -= 1
        return RewardEstimate(observation.stamp, float("nan") if self._left < 0 else 0.0)


class Failing:
    def reset(self, task):
        self._left = 5

    def estimate(self, observation):
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("the lens is dirty")
        return RewardEstimate(observation.stamp, 0.0)
