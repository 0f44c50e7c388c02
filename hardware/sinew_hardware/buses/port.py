"""A serial port for the servo makers' SDKs: opened for one process, read without spinning."""

from __future__ import annotations

import glob
import os
import select
import termios
import time
from pathlib import Path

from sinew_core.errors import DeviceError, did_you_mean

PATTERNS = ("/dev/ttyACM*", "/dev/ttyUSB*", "/dev/tty.usb*", "/dev/serial/by-id/*")
# What pyserial raises of a port whose device is gone: termios' own error is no OSError, and there is no
# file descriptor once it is closed.
GONE = (OSError, ValueError, TypeError, termios.error)
MARGIN = (
    0.010  # s beyond the time on the wire that an answer may take: USB adapters and busy machines add some
)


class Port:
    """What an SDK's packet handler wants of a port (its `PortHandler`), on pyserial.

    The SDKs' own spin on a core while they wait, wait 34 ms for a servo that is silent, share a port with
    any other program, and say nothing of why it cannot be opened.
    """

    def __init__(self, path: str, baud: int, margin: float = MARGIN) -> None:
        self.path, self.baud = path, baud
        self.is_using = False
        self.tx_time_per_byte = 10 * 1000.0 / baud  # ms
        self._margin, self.patience = margin, 1.0  # how many margins an answer may take
        self._serial = _open(path, baud)
        self._deadline = 0.0

    def clearPort(self) -> None:  # noqa: N802 - the SDKs' name
        """Forget what has come, such as the late answer to an earlier question."""
        try:
            self._serial.reset_input_buffer()
        except GONE as error:
            raise DeviceError(_gone(self.path)) from error

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        """Send a packet; return the number of bytes sent."""
        try:
            return int(self._serial.write(bytes(packet)))
        except GONE as error:
            raise DeviceError(_gone(self.path)) from error

    def readPort(self, length: int) -> list[int]:  # noqa: N802
        """Wait for bytes until the packet's time is up; return those that came, at most `length`.

        The SDKs ask for less than nothing where a spoilt packet gives a shorter length than they have read.
        """
        if length <= 0:
            return []
        remaining = self._deadline - time.monotonic()
        try:
            ready, _, _ = select.select([self._serial.fileno()], [], [], max(remaining, 0.0))
            found = os.read(self._serial.fileno(), length) if ready else b""
        except GONE as error:
            raise DeviceError(_gone(self.path)) from error
        if ready and not found:
            raise DeviceError(_gone(self.path))
        return list(found)

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        """Begin to wait for an answer of so many bytes."""
        self.setPacketTimeoutMillis(self.tx_time_per_byte * packet_length)

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        """Begin to wait for an answer that takes so long on the wire."""
        self._deadline = time.monotonic() + msec / 1000 + self.patience * self._margin

    def isPacketTimeout(self) -> bool:  # noqa: N802
        """Tell whether the time is up."""
        return time.monotonic() > self._deadline

    def getBaudRate(self) -> int:  # noqa: N802
        """Return the rate in baud."""
        return self.baud

    def close(self) -> None:
        """Release the port."""
        self._serial.close()


def serial_ports() -> list[str]:
    """Return the serial ports that this machine has."""
    return sorted(path for pattern in PATTERNS for path in glob.glob(pattern))  # noqa: PTH207


def _open(path: str, baud: int):  # type: ignore[no-untyped-def] # pyserial has no types
    import serial

    if not Path(path).exists():
        found = did_you_mean(path, serial_ports()) or " No serial port is there: is the cable plugged in?"
        raise DeviceError(f"{path}: there is no such port.{found}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise DeviceError(
            f"{path}: no permission. Run `sudo usermod -aG dialout $USER` and log in anew, "
            "or install the udev rule (docs/hardware.md)."
        )
    try:
        return serial.Serial(path, baud, timeout=0, write_timeout=0.1, exclusive=True)
    except ValueError as error:
        raise DeviceError(f"{path}: {baud} baud is no rate that this port knows.") from error
    except OSError as error:
        if "lock" in str(error):
            raise DeviceError(f"{path}: another program has this port; end it first.") from error
        raise DeviceError(f"{path}: cannot be opened: {error}") from error


def _gone(path: str) -> str:
    return f"{path}: the port is gone: is the cable plugged in?"
