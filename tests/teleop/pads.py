"""Devices for tests: a gamepad's state as Joy has it, its kernel device behind a pipe, HID reports."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import JointCommand, JointState
from sinew_teleop.gamepad import Gamepad
from sinew_teleop.gamepad_buttons import PRESETS, GamepadMapping

BUTTON, AXIS, INIT = 1, 2, 0x80


class Pad:
    """A controller in a hand: names of buttons and axes, as its mapping has them."""

    def __init__(self, preset: str = "xbox") -> None:
        self.mapping: GamepadMapping = PRESETS[preset]
        self.axes = [0.0] * 8
        self.buttons = [0] * 13
        for trigger in (self.mapping.tilt_out, self.mapping.tilt_in):
            self.axes[trigger] = 1.0

    def press(self, *names: str) -> Pad:
        for name in names:
            self.buttons[getattr(self.mapping, name)] = 1
        return self

    def release(self, *names: str) -> Pad:
        for name in names:
            self.buttons[getattr(self.mapping, name)] = 0
        return self

    def push(self, **axes: float) -> Pad:
        for name, value in axes.items():
            self.axes[getattr(self.mapping, name)] = value
        return self

    def tell(self, gamepad: Gamepad) -> None:
        gamepad.take_joy(self.axes, self.buttons)


class Pipe:
    """A joystick device whose other end the test holds."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "js0"
        os.mkfifo(self.path)
        self.keep = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def tell(self, *events: tuple[int, int, int]) -> None:
        """Write events (type, number, value)."""
        data = b"".join(struct.pack("<IhBB", 0, value, kind, number) for kind, number, value in events)
        os.write(self.keep, data)

    def introduce(self, pressed: Sequence[int] = ()) -> None:
        """What the kernel tells when the device is opened."""
        self.tell(*((BUTTON | INIT, n, int(n in pressed)) for n in range(11)))
        self.tell(*((AXIS | INIT, n, -32767 if n in (2, 5) else 0) for n in range(8)))

    def unplug(self) -> None:
        os.close(self.keep)
        self.path.unlink()


class FakeHid:
    """A SpaceMouse that reports what it is told to."""

    def __init__(self) -> None:
        self.reports: list[list[int]] = []
        self.plugged = True
        self.closed = False

    def read(self, size: int) -> list[int]:
        if not self.plugged:
            raise OSError("read error")
        return self.reports.pop(0) if self.reports else []

    def close(self) -> None:
        self.closed = True

    def push(self, *axes: int) -> None:
        """Report translation x y z, and rotation where six are given."""
        self.reports.append([1, *struct.pack("<3h", *axes[:3])])
        if len(axes) == 6:
            self.reports.append([2, *struct.pack("<3h", *axes[3:])])

    def press(self, bits: int) -> None:
        self.reports.append([3, bits, 0, 0])


class HandArm:
    """A leader arm: it is where a hand puts it. `tests.teleop.pads:HandArm` in a configuration."""

    made: list[HandArm] = []  # noqa: RUF012 - the test reaches the arm that a source has built

    def __init__(self, robot: Robot, hardware: Hardware) -> None:
        self.position = robot.home.copy()
        self.stamp = 0
        self.unplugged = self.frozen = self.closed = False
        self.made.append(self)

    def read(self) -> JointState:
        if self.unplugged:
            raise DeviceError("/dev/ttyACM0: no answer of servo 3")
        self.stamp += 0 if self.frozen else 1
        return JointState(self.stamp, self.position.copy(), np.zeros_like(self.position))

    def write(self, command: JointCommand) -> None:
        raise AssertionError("a leader arm is never driven")

    def stop(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def leader_spec(**changes: Any) -> dict[str, Any]:
    return {"plugin": "tests.teleop.pads:HandArm", **changes}
