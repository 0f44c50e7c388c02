"""The kernel's joystick device, /dev/input/js0, read without a library.

Eight bytes an event: time in ms (uint32), value (int16), type (uint8: 1 button, 2 axis, 0x80 added for the
states told at opening), number (uint8); Linux Documentation/input/joydev/joystick-api.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TypeVar

from sinew_core.types import NANOSECONDS

T = TypeVar("T")
EVENT = struct.Struct("<IhBB")
BUTTON, AXIS, INIT = 1, 2, 0x80
FULL = 32767.0
RETRY = NANOSECONDS  # ns between attempts to open a device that is gone


class JoystickDevice:
    """Follows a joystick device in the manner of `sensor_msgs/Joy`; opens it anew when it comes back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""
        self._next_try = -RETRY
        self.axes: list[float] = []
        self.buttons: list[int] = []
        self.error = ""

    @property
    def present(self) -> bool:
        """Whether the device is open."""
        return self._descriptor >= 0

    def poll(self, now: int) -> bool:
        """Take what the device has told, never waiting; False while it is gone. `now` is in ns."""
        if not self.present and not self._open(now):
            return False
        try:
            while told := os.read(self._descriptor, EVENT.size * 64):
                self._take(told)
        except BlockingIOError:
            return True  # that was all for now
        except OSError as error:  # ENODEV: unplugged
            self._lose(str(error.strerror))
        else:
            self._lose("end of file")
        return False

    def close(self) -> None:
        """Close the device; safe to call more than once."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self, now: int) -> bool:
        if now - self._next_try < 0:
            return False
        self._next_try = now + RETRY
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            self.error = f"{self._path}: {error.strerror}"
            return False
        self._rest, self.axes, self.buttons, self.error = b"", [], [], ""
        return True

    def _lose(self, why: str) -> None:
        self.close()
        self.error = f"{self._path}: {why}"

    def _take(self, told: bytes) -> None:
        told = self._rest + told
        whole = len(told) - len(told) % EVENT.size
        self._rest = told[whole:]
        for _, value, kind, number in EVENT.iter_unpack(told[:whole]):
            if kind & ~INIT == BUTTON:
                _put(self.buttons, number, int(value != 0), 0)
            elif kind & ~INIT == AXIS:
                _put(self.axes, number, max(-1.0, -value / FULL), 0.0)  # Joy's sign: left and up positive


def _put(values: list[T], number: int, value: T, default: T) -> None:
    values.extend([default] * (number + 1 - len(values)))
    values[number] = value
