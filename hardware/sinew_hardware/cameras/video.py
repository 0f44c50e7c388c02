"""Webcams and other video devices, and video files, as cameras without depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
from sinew_core.cameras import CameraConfig
from sinew_core.errors import ConfigError
from sinew_core.types import CameraModel

from sinew_hardware.cameras.newest import NewestFrame, Patience
from sinew_hardware.cameras.newest_camera import NewestCamera
from sinew_hardware.cameras.undistort import Undistortion
from sinew_hardware.cameras.video_source import Capture, Wanted, open_video


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """The fields of a video camera's `device:` in a hardware file."""

    source: int | str  # index, path (best below /dev/v4l/by-id, which outlives a reboot), or a video file
    fps: float = 30.0  # Hz
    fourcc: str = "MJPG"  # four letters; the device's own when empty
    latency: float = 0.0  # s, from exposure to grab
    loop: bool = False  # a file begins anew at its end, instead of standing still
    first_frame: float = 5.0  # s
    retry: float = 2.0  # s between tries to open it again

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.fps <= 0 or self.latency < 0:
            raise ValueError("fps must be positive, and latency not negative.")
        if len(self.fourcc) not in {0, 4}:
            raise ValueError(f"fourcc: expected four letters, such as MJPG or YUYV, got '{self.fourcc}'.")
        Patience(self.first_frame, self.retry)


class VideoCamera(NewestCamera):
    """A video device as a `Camera`, open once constructed; a lost one is opened again by itself.

    `capture` opens a device as `cv2.VideoCapture` does. Raises DeviceError if it cannot be opened, and
    ConfigError if depth is expected of it.
    """

    def __init__(
        self,
        config: VideoConfig,
        camera: CameraConfig,
        model: CameraModel,
        capture: Capture = cv2.VideoCapture,
    ) -> None:
        name = f"camera {model.name}"
        if camera.depth:
            raise ConfigError(f"{name}: a video camera has no depth; write `depth: false`.")
        wanted = Wanted(camera.width, camera.height, config.fps, config.fourcc, config.latency, config.loop)
        lens = Undistortion(camera.intrinsics, model)

        def open_source() -> Any:
            return open_video(config.source, wanted, lens, name, capture)

        silent = "A device's USB port may lack the bandwidth: lower width, height or fps, or use another one."
        patience = Patience(config.first_frame, config.retry)
        super().__init__(model, NewestFrame(name, open_source, patience, silent))
