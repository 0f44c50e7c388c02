"""Moves an arm to poses for a calibration: slowly, and through the same control path as everything else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sinew_core.authority import POLICY
from sinew_core.control import ControlPath
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Arm, Camera
from sinew_core.types import ActionChunk, FloatArray, JointState

PACE = 0.25  # of the joints' velocity limits
SETTLE = 0.8  # s at rest before a picture counts
ARRIVED = 0.05  # rad or m, of every joint


@dataclass
class _Station:
    """An arm alone, as a control path wants it."""

    arm: Arm
    cameras: dict[str, Camera] = field(default_factory=dict)
    world: None = None

    def close(self) -> None:
        """The arm is whoever's who opened it."""


class Mover:
    """Drives one arm in real time; `Ctrl-C` leaves it where it is, holding."""

    def __init__(self, arm: Arm, hardware: Hardware) -> None:
        self._arm, self._hardware = arm, hardware
        self._path = ControlPath(_Station(arm), hardware)
        self._path.reset(arm.read())

    def go_to(self, position: FloatArray) -> JointState:
        """Go to a joint position (n,) and come to rest; return the joints as they then are.

        Raises DeviceError if the arm does not get there: a safety filter or a thing is in the way.
        """
        robot, dt = self._hardware.robot, self._hardware.config.control_period
        here = self._arm.read().position
        seconds = float(np.max(np.abs(position - here) / (PACE * robot.velocity))) + dt
        steps = max(1, int(np.ceil(seconds / dt)))
        shares = (1 - np.cos(np.pi * np.arange(1, steps + 1) / steps)) / 2
        rows = here + shares[:, None] * (position - here)
        self.follow(np.concatenate([rows, np.tile(position, (int(SETTLE / dt), 1))]))
        joints = self._arm.read()
        off = np.abs(joints.position - position)
        if off.max() > ARRIVED:
            worst = robot.joint_names[int(np.argmax(off))]
            raise DeviceError(f"the arm does not get to the pose: {worst} is off by {off.max():.2f}.")
        return joints

    def follow(self, rows: FloatArray, look: Callable[[JointState], None] | None = None) -> None:
        """Send rows (h, n), one a control period, `look` being shown each reading before it."""
        joints = self._arm.read()
        dt = self._hardware.config.control_period
        due = time.monotonic()
        try:
            for i in range(len(rows)):
                self._send(ActionChunk(joints.stamp, dt, rows[i : i + 2]), joints)
                due += dt
                time.sleep(max(0.0, due - time.monotonic()))
                joints = self._arm.read()
                if look is not None:
                    look(joints)
        except BaseException:
            self._arm.stop()
            raise

    def _send(self, chunk: ActionChunk, joints: JointState) -> None:
        fault = self._path.offer(POLICY, chunk, joints.stamp)
        if fault is not None:
            raise DeviceError(f"the arm's control refuses the way: {fault}")
        self._path.execute(joints)
