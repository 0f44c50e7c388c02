"""Stays where the arm was when the episode began."""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, FloatArray, Observation, Task


class Hold:
    """Wants the joints of the episode's first observation."""

    def __init__(self, hardware: Hardware) -> None:
        self._dt = hardware.config.control_period
        self._position: FloatArray | None = None

    def reset(self, task: Task) -> None:
        """Forget where the arm was."""
        self._position = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the joints of the first observation, (1, n)."""
        if self._position is None:
            self._position = observation.joints.position.copy()
        return ActionChunk(observation.stamp, self._dt, self._position[None].copy())
