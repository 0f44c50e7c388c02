"""Speed scaling in steps, shared by every relative device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeedConfig:
    """The shares of full speed that a person can choose from, and the one to begin with."""

    levels: tuple[float, ...] = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
    start: float = 0.35

    def __post_init__(self) -> None:
        """Check the order, and that the start is one of the levels."""
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"speed levels must rise, got {self.levels}.")
        if self.levels[0] <= 0 or self.levels[-1] > 1:
            raise ValueError(f"speed levels must lie in (0, 1], got {self.levels}.")
        if self.start not in self.levels:
            raise ValueError(f"start {self.start} is not one of the levels {self.levels}.")


class SpeedScale:
    """Remembers the chosen level; it survives episodes."""

    def __init__(self, config: SpeedConfig) -> None:
        self._levels = config.levels
        self._index = config.levels.index(config.start)

    @property
    def factor(self) -> float:
        """The share of full speed."""
        return self._levels[self._index]

    def change(self, steps: int) -> None:
        """Go up or down by some levels, as far as there are any."""
        self._index = min(max(self._index + steps, 0), len(self._levels) - 1)

    def __str__(self) -> str:
        """As it stands on screen."""
        return f"speed {100 * self.factor:g} %"
