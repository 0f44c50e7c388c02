"""The thing that matters is out of sight for longer than a hand passing before it explains."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_core.types import NANOSECONDS, Affordance, Observation, RewardEstimate, Task

from sinew_rewards.wrappers.ramp import ramp


@dataclass(frozen=True, slots=True)
class Config:
    """Which things, and for how long they may be hidden."""

    objects: tuple[str, ...] = ()  # keypoints; none named: what the affordance says is to be moved
    patience: float = 0.5  # s that it may be hidden; from twice that on the score is 1
    held_is_fine: bool = True  # a thing that the tracker believes in the gripper is hidden by it

    def __post_init__(self) -> None:
        """Check the time."""
        if self.patience <= 0:
            raise ValueError(f"patience: expected above 0 s, got {self.patience}.")


class Hidden:
    """Scores the thing that has been hidden for the longest time; None while no thing is named at all."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._since: dict[str, int] = {}  # ns, from which on it has been hidden

    def reset(self, task: Task) -> None:
        """Forget what was hidden."""
        self._since.clear()

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        """Return 0 up to `patience`, then rising, 1 from twice that on."""
        names = self._config.objects or _moved(observation.affordance)
        if not names:
            return None
        return max(self._score(name, observation) for name in names)

    def _score(self, name: str, observation: Observation) -> float:
        thing = observation.keypoints.get(name)
        excused = thing is not None and (thing.visible or (thing.held and self._config.held_is_fine))
        if excused:
            self._since.pop(name, None)
            return 0.0
        hidden = observation.stamp - self._since.setdefault(name, observation.stamp)
        patience = self._config.patience
        return ramp(hidden / NANOSECONDS, patience, 2 * patience)


def _moved(affordance: Affordance | None) -> tuple[str, ...]:
    return () if affordance is None or affordance.moves is None else (affordance.moves,)
