"""A simulated station whose arm follows late, as real servos do behind a bus, gears and a camera's delay.

Peng et al. 2018, "Sim-to-Real Transfer of Robotic Control with Dynamics Randomization", draw such a delay
anew for each episode: a policy that has only known an arm that is at once where it was sent presses on
before a real one has followed.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from sinew_core.protocols import Arm, Station
from sinew_core.types import JointCommand, JointState


class LaggingStation:
    """Another station; its arm gets each command up to `most` control periods later."""

    def __init__(self, station: Station, most: int) -> None:
        self._station, self._most = station, most
        self._arm = _LaggingArm(station.arm)
        self.arm: Arm = self._arm
        self.cameras, self.world = station.cameras, station.world

    def seed(self, seed: int) -> None:
        """Draw the next episode's lag."""
        self._arm.begin(int(np.random.default_rng(seed).integers(self._most + 1)))

    def close(self) -> None:
        """Stop the arm and release every device."""
        self._station.close()


class _LaggingArm:
    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._waiting: deque[JointCommand] = deque()
        self._lag = 0

    def begin(self, lag: int) -> None:
        self._lag = lag
        self._waiting.clear()

    def read(self) -> JointState:
        return self._arm.read()

    def write(self, command: JointCommand) -> None:
        self._waiting.append(command)
        if len(self._waiting) > self._lag:
            self._arm.write(self._waiting.popleft())

    def stop(self) -> None:
        self._waiting.clear()
        self._arm.stop()

    def close(self) -> None:
        self._arm.close()
