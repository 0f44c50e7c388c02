"""What every relative device shares: wishes in, chunks out that begin at the present target."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Observation

from sinew_teleop.gripper import GripperRamp
from sinew_teleop.jog import JogConfig, JogIntegrator
from sinew_teleop.source import nothing, present_target
from sinew_teleop.wishes import Wish


class RelativeDrive:
    """Drives the arm while there is a wish, and begins anew from the present target after every release."""

    def __init__(self, hardware: Hardware, config: JogConfig) -> None:
        self._dt = hardware.config.control_period
        self._jog = JogIntegrator(hardware, config)
        self.gripper = GripperRamp(hardware.robot, config.gripper, self._dt)
        self.driving = False

    def release(self) -> None:
        """Let go of the arm; what the gripper still had before it is dropped, too."""
        self.driving = False
        self.gripper.stop()

    def chunk(self, observation: Observation, wish: Wish | None) -> ActionChunk:
        """Return one row of joint targets, or none without a wish.

        The first row is the present target itself; motion begins with the second.
        """
        target = present_target(observation)
        if wish is None or not np.isfinite(target).all():
            self.release()
            return nothing(observation, self._dt)
        if not self.driving:
            self.driving = True
            return ActionChunk(observation.stamp, self._dt, self._jog.begin(target)[None])
        grip = self.gripper.step(self._jog.position, wish.aperture)
        position = self._jog.step(wish, target, grip)
        return ActionChunk(observation.stamp, self._dt, position[None])
