"""A RealSense in software: frames that are pushed into it come out of librealsense as a device's would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.types import NANOSECONDS, ImageArray

from sinew_hardware.cameras.realsense_device import load_realsense

MILLISECOND = NANOSECONDS // 1000
Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class SoftwareSpec:
    """What a software device is: both streams have one size and no turn between them."""

    serial: str
    colour: IntrinsicsConfig  # distortion, if any, as OpenCV orders it
    depth: IntrinsicsConfig
    width: int = 640  # px
    height: int = 480  # px
    fps: int = 30  # Hz
    unit: float = 0.001  # m, of depth
    baseline: float = 0.0  # m, along x, from the depth camera to the colour camera
    clock: Literal["global_time", "hardware_clock", "system_time"] = "global_time"
    one_sensor: bool = False  # both streams by one sensor, as the D405 has it


class SoftwareRealsense:
    """A software device in a context of its own, plugged in; `context` is for `RealsenseCamera`."""

    def __init__(self, spec: SoftwareSpec) -> None:
        self._rs = rs = load_realsense()
        self._spec = spec
        self._device = rs.software_device()
        self._device.register_info(rs.camera_info.serial_number, spec.serial)
        self._device.register_info(rs.camera_info.name, "Software RealSense")
        depth = self._device.add_sensor("Stereo Module")
        colour = depth if spec.one_sensor else self._device.add_sensor("RGB Camera")
        depth.add_read_only_option(rs.option.depth_units, spec.unit)
        for sensor in (depth, colour):  # else streams are matched by a rate guessed from the stamps
            sensor.set_metadata(rs.frame_metadata_value.actual_fps, 1000 * spec.fps)
        self._depth = depth, self._stream(depth, rs.stream.depth, rs.format.z16, 2, spec.depth)
        self._colour = colour, self._stream(colour, rs.stream.color, rs.format.rgb8, 3, spec.colour)
        between = rs.extrinsics()
        between.rotation, between.translation = np.eye(3).ravel().tolist(), [-spec.baseline, 0.0, 0.0]
        self._depth[1].register_extrinsics_to(self._colour[1], between)
        self._device.create_matcher(rs.matchers.dlr_c)
        self.context = rs.context()
        # The context forgets a software device at once unless somebody holds the news of its arrival.
        self._news: list[Any] = []
        self.context.set_devices_changed_callback(self._news.append)
        self.plug()

    def _stream(self, sensor: Any, kind: Any, form: Any, size: int, lens: IntrinsicsConfig) -> Any:
        """Add a video stream, `size` bytes a pixel, to a sensor; return its profile."""
        rs, spec = self._rs, self._spec
        stream, intrinsics = rs.video_stream(), rs.intrinsics()
        intrinsics.width, intrinsics.height = spec.width, spec.height
        intrinsics.fx, intrinsics.fy, intrinsics.ppx, intrinsics.ppy = lens.fx, lens.fy, lens.cx, lens.cy
        intrinsics.model = rs.distortion.brown_conrady
        intrinsics.coeffs = [*lens.distortion, *[0.0] * 5][:5]
        stream.type, stream.fmt, stream.bpp, stream.intrinsics = kind, form, size, intrinsics
        stream.width, stream.height, stream.fps = spec.width, spec.height, spec.fps
        stream.uid = int(kind)
        return sensor.add_video_stream(stream).as_video_stream_profile()

    def plug(self) -> None:
        """Let the context find the device."""
        self._device.add_to(self.context)

    def unplug(self) -> None:
        """Let the context forget the device; a driver that streams from it hears nothing more."""
        self._news.clear()

    @property
    def plugged(self) -> bool:
        """Whether the context knows the device."""
        return bool(self._news)

    def push(self, number: int, stamp: int, rgb: ImageArray, depth: Counts | None = None) -> None:
        """Deliver colour (h, w, 3) and depth (h, w), captured at `stamp` ns of the device's clock.

        Nobody hears it while the device is unplugged, or its streams are closed.
        """
        if not self.plugged:
            return
        if depth is not None:
            self._send(*self._depth, number, stamp, depth)
        self._send(*self._colour, number, stamp, rgb)

    def _send(self, sensor: Any, profile: Any, number: int, stamp: int, pixels: ImageArray | Counts) -> None:
        frame = self._rs.software_video_frame()
        frame.pixels, frame.profile = pixels, profile
        frame.stride, frame.bpp = pixels.strides[0], pixels.strides[1]
        frame.timestamp, frame.frame_number = stamp / MILLISECOND, number
        frame.domain = getattr(self._rs.timestamp_domain, self._spec.clock)
        frame.depth_units = self._spec.unit
        sensor.on_video_frame(frame)

    def close(self) -> None:
        """Unplug it, for good."""
        self.unplug()
