"""The only path to the arm: arbiter, then safety filters, then the write, one command a control period."""

from __future__ import annotations

import numpy as np

from sinew_core.arbiter import Arbiter
from sinew_core.hardware import Hardware
from sinew_core.protocols import MotionState, SafetyFilter, Station
from sinew_core.safety import default_filter
from sinew_core.types import NANOSECONDS, ActionChunk, ExecutedCommand, FloatArray, JointCommand, JointState


class ControlPath:
    """Takes chunks from any source and sends one safe command per control period.

    Not thread-safe: one thread calls it. The same object serves the in-process loop and the station
    node, so that both send the same commands.
    """

    def __init__(self, station: Station, hardware: Hardware, safety: SafetyFilter | None = None) -> None:
        config = hardware.config
        self._station = station
        self._period = hardware.period
        self._filter = safety if safety is not None else default_filter(hardware)
        self.arbiter = Arbiter(
            joints=len(hardware.robot.joint_names),
            timeout=round(config.command_timeout * NANOSECONDS),
            max_age=round(config.max_age * NANOSECONDS),
        )
        self._target: FloatArray | None = None
        self._velocity: FloatArray = np.zeros(len(hardware.robot.joint_names))

    def reset(self, state: JointState) -> None:
        """Begin from where the arm is: hold it there and forget every chunk."""
        self.arbiter.reset()
        self._target = state.position.copy()
        self._velocity = np.zeros_like(self._target)

    def offer(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        """Hand in a chunk; return why it was refused, or None."""
        return self.arbiter.offer(source, chunk, now)

    def execute(self, state: JointState) -> ExecutedCommand:
        """Send the command of this control period; in a simulator, advance by that period."""
        if self._target is None:
            self.reset(state)
        assert self._target is not None
        choice = self.arbiter.choose(state.stamp)
        wanted = self._target if choice.position is None else choice.position
        motion = MotionState(state, self._target, self._velocity, self._period / NANOSECONDS)
        safe = self._filter.filter(JointCommand(state.stamp, wanted), motion)
        position = safe.command.position
        self._velocity = (position - self._target) / motion.dt
        self._target = position.copy()
        self._station.arm.write(safe.command)
        if self._station.world is not None:
            self._station.world.step(self._period)
        return ExecutedCommand(
            state.stamp,
            position.copy(),
            choice.source,
            choice.reasons + safe.reasons,
            choice.observation_stamp,
        )

    def hold(self) -> None:
        """Drop every chunk and stop the arm where it is."""
        self.arbiter.reset()
        self._target = None
        self._station.arm.stop()
