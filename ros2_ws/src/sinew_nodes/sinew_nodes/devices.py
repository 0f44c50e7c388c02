"""Reading a station: joints and due cameras, and noticing one that has stopped to deliver."""

from __future__ import annotations

import time

from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, CameraFrame, JointState


class DeviceReader:
    """Reads a station's devices; a device whose stamps stand still for `max_age` is a DeviceError.

    In lockstep a simulator's frames carry the stamp of its joints, or the period could not be put
    together elsewhere.
    """

    def __init__(self, station: Station, hardware: Hardware) -> None:
        self._station = station
        self._max_age = hardware.config.max_age
        self._lockstep = hardware.config.pace == "lockstep"
        self._seen: dict[str, tuple[int, float]] = {}  # stamp, s of the monotonic clock

    def forgive(self) -> None:
        """Begin anew, after a pause in which nothing was read."""
        self._seen.clear()

    def joints(self) -> JointState:
        """Read the joints."""
        joints = self._station.arm.read()
        if not self._lockstep:
            self._is_new("arm", joints.stamp)
        return joints

    def frame(self, name: str, now: int) -> CameraFrame | None:
        """Read a camera; None if its frame is the one that was returned before."""
        frame = self._station.cameras[name].read()
        if not self._lockstep:
            return frame if self._is_new(f"camera {name}", frame.stamp) else None
        if frame.stamp != now:
            behind = (now - frame.stamp) / NANOSECONDS
            raise DeviceError(f"camera {name}: its frame is {behind:.3f} s behind the joints, in lockstep")
        return frame

    def _is_new(self, device: str, stamp: int) -> bool:
        now = time.monotonic()
        last, since = self._seen.get(device, (-1, now))
        if stamp != last:
            self._seen[device] = (stamp, now)
            return True
        if now - since > self._max_age:
            raise DeviceError(
                f"{device} has stopped: nothing new for {now - since:.2f} s (max_age {self._max_age} s)"
            )
        return False
