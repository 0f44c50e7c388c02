"""An open RealSense: synchronised colour and depth, aligned, undistorted, stamped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.types import NANOSECONDS, CameraFrame, DepthArray

from sinew_hardware.cameras.realsense_device import Mode, refusal
from sinew_hardware.cameras.stamps import CaptureClock
from sinew_hardware.cameras.undistort import RawDepth, Undistortion

WAIT = 50  # ms of one wait for frames; `close` has to wait for it, too
QUEUE = 4  # sets of frames that may wait for a thread that was held up


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of a device, with the sensor that delivers it."""

    mode: Mode
    sensor: Any  # rs.sensor
    profile: Any  # rs.video_stream_profile


@dataclass(frozen=True, slots=True)
class Limits:
    """Times of a source, in s."""

    first_frame: float  # that a device may take to begin
    silence: float  # without a frame after which it counts as lost
    latency: float  # from capture to arrival at least, where the device does not know the wall clock


class RealsenseSource:
    """Frames of a device's colour stream, and of its depth stream if there is one, while it delivers.

    The sensors are opened one by one rather than by `rs.pipeline`: that holds Python's lock while it
    starts, and waits for a lost device by itself for up to 15 s.
    """

    def __init__(
        self, rs: Any, streams: Sequence[Stream], lens: Undistortion, name: str, limits: Limits
    ) -> None:
        self._rs, self._streams, self._lens, self._name = rs, streams, lens, name
        self._silence, self._allowed = limits.silence, limits.first_frame + limits.silence
        self._clock = CaptureClock(round(limits.latency * NANOSECONDS))
        depth = next((stream for stream in streams if stream.mode.stream == "depth"), None)
        self._unit = None if depth is None else float(depth.sensor.get_option(rs.option.depth_units))  # m
        self._syncer = rs.syncer(QUEUE)
        self._align = rs.align(rs.stream.color)
        self._number = -1
        self._undo: list[Callable[[], None]] = []
        self._heard = time.monotonic()

    def start(self) -> None:
        """Open the sensors and let them stream; raises DeviceError if the device refuses."""
        try:
            for sensor, profiles in _by_sensor(self._streams):
                if sensor.supports(self._rs.option.global_time_enabled):
                    sensor.set_option(self._rs.option.global_time_enabled, 1)
                sensor.open(profiles)
                self._undo.append(sensor.close)
            for sensor, _ in _by_sensor(self._streams):
                sensor.start(self._syncer)
                self._undo.append(sensor.stop)
        except RuntimeError as error:
            self.close()
            raise refusal(error, [stream.mode for stream in self._streams], self._name) from error
        self._heard = time.monotonic()

    def grab(self) -> CameraFrame | None:
        """Wait a moment for the next frame; raises DeviceError after a silence."""
        try:
            came, frames = self._syncer.try_wait_for_frames(WAIT)
            arrival = time.time_ns()
            frame = self._frame(frames, arrival) if came else None
        except RuntimeError as error:
            raise DeviceError(f"{self._name}: it has failed. (librealsense: {error})") from error
        now = time.monotonic()
        if frame is not None:
            self._heard, self._allowed = now, self._silence
        elif now - self._heard > self._allowed:
            raise DeviceError(
                f"{self._name}: it has delivered nothing for {self._allowed:g} s: unplugged, or its USB port "
                "is overloaded."
            )
        return frame

    def _frame(self, frames: Any, arrival: int) -> CameraFrame | None:
        """Convert a set of frames; None for one that lacks a stream, or whose colour was there before."""
        colour = frames.get_color_frame()
        if not colour or colour.get_frame_number() == self._number:
            return None
        depth: DepthArray | None = None
        if self._unit is not None:
            if not frames.get_depth_frame():
                return None
            aligned = self._align.process(frames).get_depth_frame()
            depth = metres(self._lens.depth(np.asanyarray(aligned.get_data())), self._unit)
        self._number = colour.get_frame_number()
        return CameraFrame(
            self._stamp(colour, arrival), self._lens.colour(np.asanyarray(colour.get_data())), depth
        )

    def _stamp(self, frame: Any, arrival: int) -> int:
        """Return when a frame was captured, in ns of the wall clock."""
        # Devices count microseconds; a float of milliseconds since 1970 is exact to a quarter of one.
        capture = round(frame.get_timestamp() * 1000) * 1000
        if frame.get_frame_timestamp_domain() == self._rs.timestamp_domain.global_time:
            return self._clock.of_wall(capture)
        return self._clock.of_device(capture, arrival)

    def close(self) -> None:
        """Stop and close the sensors that this source opened; a lost device's errors mean nothing here."""
        while self._undo:
            with contextlib.suppress(RuntimeError):
                self._undo.pop()()


def _by_sensor(streams: Sequence[Stream]) -> list[tuple[Any, list[Any]]]:
    """Return each sensor once, with its profiles: some devices deliver colour and depth by one sensor."""
    sensors: dict[str, tuple[Any, list[Any]]] = {}
    for stream in streams:
        sensors.setdefault(stream.sensor.name, (stream.sensor, []))[1].append(stream.profile)
    return list(sensors.values())


def metres(raw: RawDepth, unit: float) -> DepthArray:
    """Return depth (h, w), counted in units of `unit` m, in m and whole millimetres; 0 stays unknown."""
    factor = round(unit * 1000, 6)  # librealsense keeps it as a float of 32 bits: 0.001 is not quite that
    millimetres = raw if factor == 1 else np.rint(raw * np.float32(factor))
    return np.divide(millimetres, np.float32(1000), dtype=np.float32)
