"""What is an alarm, and after how many episodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """Thresholds; each alarm needs an effect of some size that luck does not explain."""

    base_episodes: int = 30  # first ones, which stand for the base policy where none are given
    window: int = 60  # newest episodes, which stand for the present policy
    least: int = 15  # episodes of either policy, below which nothing is said
    every: int = 10  # episodes between two looks
    chance: float = 1e-3  # that an alarm is luck, at one look
    fall: float = 0.25  # of the correlation of reward and truth, against the base policy's
    related: float = 0.1  # correlation on the base policy's own episodes that is too little
    rise: float = 0.5  # standard deviations of the base policy's returns that count as a rise
    gain: float = 0.05  # of the verdicts' mean, which a rise of returns should bring
    enough: float = 0.9  # mean verdict that need not rise any more
    outside: float = 0.05  # share of an input's rows outside the card's range
    slack: float = 0.5  # standard deviations by which a range is wider than what the card has seen
    beyond: float = 0.25  # share of episodes with more repetition or rest than nearly all of the base's
    repeats: int = 2  # payments of a term more than that, at least
    rest: float = 0.25  # of an episode, by which a rest is longer than that, at least

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.base_episodes, self.window, self.least) < 5 or self.every < 1 or self.repeats < 1:
            raise ValueError(
                "base_episodes, window and least: expected at least 5; every and repeats: at least 1."
            )
        if self.window < self.least or self.base_episodes < self.least:
            raise ValueError(
                f"window and base_episodes: expected at least {self.least} (least), got {self.window} and "
                f"{self.base_episodes}."
            )
        if not 0 < self.chance < 0.5:
            raise ValueError(f"chance: expected 0 < chance < 0.5, got {self.chance}.")
        for name in ("fall", "rise", "gain", "outside", "slack", "beyond", "rest"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected at least 0, got {getattr(self, name)}.")
