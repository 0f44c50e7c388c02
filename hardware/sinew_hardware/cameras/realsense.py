"""RealSense cameras: colour and aligned depth through librealsense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import DeviceError
from sinew_core.types import CameraModel

from sinew_hardware.cameras.newest import NewestFrame, Patience
from sinew_hardware.cameras.newest_camera import NewestCamera
from sinew_hardware.cameras.realsense_device import (
    Mode,
    choose_preset,
    find_device,
    find_stream,
    load_realsense,
    refusal,
)
from sinew_hardware.cameras.realsense_lens import check_lens, opencv_lens
from sinew_hardware.cameras.realsense_source import Limits, RealsenseSource, Stream
from sinew_hardware.cameras.undistort import Undistortion


@dataclass(frozen=True, slots=True)
class RealsenseConfig:
    """The fields of a RealSense's `device:` in a hardware file."""

    serial: str = ""  # in quotes; the only one connected when empty
    fps: int = 30  # Hz
    preset: str = ""  # visual preset, such as "High Accuracy"; the device's present one when empty
    depth_size: tuple[int, int] | None = None  # px, width and height; the colour's when not given
    tolerance: float = 1.0  # px, by which the file's lens and the device's may differ
    latency: float = 0.0  # s from capture to arrival at least, where the device does not know the wall clock
    first_frame: float = 5.0  # s
    silence: float = 1.0  # s without a frame after which the device counts as lost
    retry: float = 2.0  # s between tries to open it again

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.fps, self.tolerance, self.silence) <= 0 or self.latency < 0:
            raise ValueError("fps, tolerance and silence must be positive, and latency not negative.")
        Patience(self.first_frame, self.retry)


class RealsenseCamera(NewestCamera):
    """A RealSense as a `Camera`, open once constructed; a lost one is opened again by itself.

    `context` is an `rs.context` that knows other devices than those on the USB, such as software ones.
    Raises DeviceError if it cannot be opened, ConfigError for an unknown preset or another lens than the
    hardware file's.
    """

    def __init__(
        self, config: RealsenseConfig, camera: CameraConfig, model: CameraModel, context: Any = None
    ) -> None:
        self._config, self._camera = config, camera
        self._name = f"camera {model.name}"
        self._rs = load_realsense()
        self._context = self._rs.context() if context is None else context
        self._lens = Undistortion(camera.intrinsics, model)
        patience = Patience(config.first_frame, config.retry)
        super().__init__(model, NewestFrame(self._name, self._open, patience, self._if_silent()))

    def _modes(self) -> list[Mode]:
        size, fps = (self._camera.width, self._camera.height), self._config.fps
        colour = Mode("color", *size, fps)
        return (
            [colour, Mode("depth", *(self._config.depth_size or size), fps)]
            if self._camera.depth
            else [colour]
        )

    def _limits(self) -> Limits:
        return Limits(self._config.first_frame, self._config.silence, self._config.latency)

    def _if_silent(self) -> str:
        modes = " and ".join(map(str, self._modes()))
        return (
            f"Its USB port may lack the bandwidth for {modes}: lower width, height or fps, use another USB 3 "
            "port, or plug it in again."
        )

    def _open(self) -> RealsenseSource:
        rs, name, modes = self._rs, self._name, self._modes()
        try:
            device = find_device(rs, self._context, self._config.serial, name)
            streams = [Stream(mode, *find_stream(rs, device, mode, name)) for mode in modes]
            lens = _lens(rs, streams[0], name)
            check_lens(name, lens, self._camera, self._model, self._config.tolerance)
            if self._config.preset:
                choose_preset(rs, streams[-1].sensor, self._config.preset, name)
            source = RealsenseSource(rs, streams, self._lens, name, self._limits())
        except RuntimeError as error:
            raise refusal(error, modes, name) from error
        source.start()
        return source


def device_intrinsics(
    config: RealsenseConfig, width: int, height: int, context: Any = None
) -> IntrinsicsConfig:
    """Return the lens that a RealSense has stored for its colour stream of a size, without streaming.

    It is what belongs into `intrinsics` of a hardware file. Raises DeviceError if the device is not there,
    has no such stream, or a lens that OpenCV's coefficients cannot describe.
    """
    rs = load_realsense()
    name = f"RealSense {config.serial}".strip()
    mode = Mode("color", width, height, config.fps)
    try:
        device = find_device(rs, rs.context() if context is None else context, config.serial, name)
        return _lens(rs, Stream(mode, *find_stream(rs, device, mode, name)), name)
    except RuntimeError as error:
        raise refusal(error, [mode], name) from error


def _lens(rs: Any, colour: Stream, name: str) -> IntrinsicsConfig:
    try:
        return opencv_lens(rs, colour.profile.get_intrinsics())
    except DeviceError as error:
        raise DeviceError(f"{name}: {error}") from error
