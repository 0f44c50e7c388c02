"""A teleoperation source for benches: a person who never lets go."""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Observation, Task
from sinew_teleop.source import TeleopEvent, present_target

SPEED = 0.1  # rad/s, of every joint


class Nudge:
    """Moves every joint on from where it is."""

    def __init__(self, hardware: Hardware) -> None:
        self._dt = hardware.config.control_period

    def reset(self, task: Task) -> None:
        """Nothing is remembered."""

    def infer(self, observation: Observation) -> ActionChunk:
        """Return a row a little further on."""
        row = present_target(observation) + SPEED * self._dt
        return ActionChunk(observation.stamp, self._dt, row[None])

    def events(self) -> list[TeleopEvent]:
        """Return nothing: this person never says a word."""
        return []

    @property
    def help(self) -> str:
        """There is no key."""
        return ""

    @property
    def status(self) -> str:
        """What it does."""
        return "nudging"

    def close(self) -> None:
        """There is no device."""
