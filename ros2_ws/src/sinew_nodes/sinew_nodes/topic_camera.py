"""A camera whose driver publishes its images: colour, depth that is aligned to it, and the intrinsics."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, Image
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.types import NANOSECONDS, CameraFrame, CameraModel, DepthArray, ImageArray

from sinew_nodes import qos
from sinew_nodes.device_node import DeviceNode
from sinew_nodes.image_wire import ImageView, image_from_wire

log = logging.getLogger(__name__)
IMAGE = "sensor_msgs/msg/Image"
DEPTH_MAX = 65.535  # m
KEPT = 4  # images of each kind that wait for their other half
INFO_PATIENCE = 1.0  # s that the intrinsics may come later than the first frame
CLOSE = 1.0  # px by which the driver's intrinsics may differ from ours
Stamped = tuple[int, ImageView]  # with the stamp, in ns


@dataclass(frozen=True, slots=True)
class TopicCameraConfig:
    """The fields of `device:` of a camera from topics."""

    color: str  # topic of rgb8 or bgr8 images
    depth: str = ""  # topic of 16UC1 or 32FC1 images, aligned to the colour ones
    info: str = ""  # topic of their intrinsics; empty: camera_info beside `color`
    rate: float = 30.0  # Hz; depth belongs to a colour image that is at most half a frame away
    first_frame: float = 5.0  # s

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.rate, self.first_frame) <= 0:
            raise ValueError("rate and first_frame must be positive.")


class TopicCamera:
    """Keeps the newest frame of a driver's topics, and undistorts it by the calibration in the hardware file.

    A driver in a process of its own must be able to send whole images: Fast DDS loses most of those that
    are larger than 512 KB unless FASTDDS_DEFAULT_PROFILES_FILE names a profile like this package's.
    """

    def __init__(self, config: TopicCameraConfig, camera: CameraConfig, model: CameraModel) -> None:
        self._name = f"camera {model.name}"
        if camera.depth and not config.depth:
            raise ConfigError(f"{self._name}: expects depth, but its device names no `depth` topic.")
        self._config, self._depth, self._model = config, camera.depth, model
        self._intrinsics, self._maps = camera.intrinsics, _undistortion(camera.intrinsics, model)
        self._colors: deque[Stamped] = deque(maxlen=KEPT)
        self._depths: deque[Stamped] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._newest: tuple[Stamped, Stamped | None] | None = None
        self._info: Any = None
        self._read: CameraFrame | None = None  # the last one
        self._device = DeviceNode(f"sinew_{model.name}")
        try:
            self._open()
        except BaseException:
            self._device.close()
            raise

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._model

    def read(self) -> CameraFrame:
        """Return the newest frame, with its old stamp if there is no new one; DeviceError for a bad one."""
        with self._lock:
            newest = self._newest
        if newest is None or self._device.failure:
            raise DeviceError(f"{self._name}: {self._device.failure or self._waiting()}")
        (stamp, color), depth = newest
        if self._read is None or self._read.stamp != stamp:
            self._read = self._decode(stamp, color, None if depth is None else depth[1])
        frame = self._read
        return CameraFrame(frame.stamp, frame.rgb.copy(), None if frame.depth is None else frame.depth.copy())

    def close(self) -> None:
        """Leave the graph."""
        self._device.close()

    def _open(self) -> None:
        device, config = self._device, self._config
        info, profile = _info_topic(config), qos.sensor("realtime")
        device.listen(Image, config.color, partial(self._take, self._colors), profile, raw=True)
        if self._depth:
            device.listen(Image, config.depth, partial(self._take, self._depths), profile, raw=True)
        device.listen(CameraInfo, info, self._take_info, profile)
        device.start()
        device.wait(lambda: self._newest is not None or device.failure, config.first_frame)
        self.read()
        if not device.wait(lambda: self._info is not None, INFO_PATIENCE):
            log.warning("%s: nothing on %s: its intrinsics are not checked", self._name, info)
            return
        fault = intrinsics_fault(self._info, self._model, self._intrinsics, rectified="rect" in config.color)
        if fault:
            raise DeviceError(f"{self._name}: {fault}")

    def _waiting(self) -> str:
        """Return why there is no frame yet."""
        config = self._config
        for topic, heard in ((config.color, self._colors), (config.depth, self._depths)):
            if topic and not heard:
                return self._device.silence(topic, IMAGE, config.first_frame)
        apart = min(abs(color[0] - depth[0]) for color in self._colors for depth in self._depths)
        return (
            f"no image on {config.depth} is within half a frame of one on {config.color}: the nearest are "
            f"{apart / 1e6:.0f} ms apart. Have the driver synchronise them, or correct `rate`."
        )

    def _take_info(self, message: Any) -> None:
        self._info = message

    def _take(self, images: deque[Stamped], wire: bytes) -> None:
        """Keep an image and pair it; one without a stamp counts as taken when it arrives."""
        view = image_from_wire(wire)
        with self._lock:
            images.append((view.stamp or time.time_ns(), view))
            if not self._depth:
                self._newest = (images[-1], None)
                return
            for color in reversed(self._colors):
                if self._newest is not None and color[0] <= self._newest[0][0]:
                    return
                nearest = min(self._depths, key=lambda depth: abs(depth[0] - color[0]), default=None)
                if nearest is not None and 2 * abs(nearest[0] - color[0]) <= NANOSECONDS / self._config.rate:
                    self._newest = (color, nearest)
                    return

    def _decode(self, stamp: int, color: ImageView, depth: ImageView | None) -> CameraFrame:
        for image in (color, *([] if depth is None else [depth])):
            if (image.width, image.height) != (self._model.width, self._model.height):
                raise DeviceError(
                    f"{self._name}: an image of {image.width}x{image.height} came; the hardware file says "
                    f"{self._model.width}x{self._model.height}. Correct the driver or the file."
                )
        try:
            rgb, metres = rgb_pixels(color), None if depth is None else depth_pixels(depth)
        except ValueError as error:
            raise DeviceError(f"{self._name}: {error}") from error
        if self._maps is not None:
            import cv2

            rgb = cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR)
            metres = None if metres is None else cv2.remap(metres, *self._maps, cv2.INTER_NEAREST)
        return CameraFrame(stamp, rgb, metres)


def _info_topic(config: TopicCameraConfig) -> str:
    return config.info or str(PurePosixPath(config.color).parent / "camera_info")


def rgb_pixels(view: ImageView) -> ImageArray:
    """Return an rgb8 or bgr8 image as rgb (h, w, 3); ValueError for another encoding."""
    if view.encoding not in {"rgb8", "bgr8"}:
        raise ValueError(f"a colour image is encoded as '{view.encoding}'; expected rgb8 or bgr8.")
    pixels = _rows(view, np.dtype(np.uint8), 3).reshape(view.height, view.width, 3)
    return np.ascontiguousarray(pixels[..., :: 1 if view.encoding == "rgb8" else -1])


def depth_pixels(view: ImageView) -> DepthArray:
    """Return a 16UC1 (mm) or 32FC1 (m) image as depth (h, w) in m, whole millimetres; 0 for none."""
    kinds = {"16UC1": "u2", "32FC1": "f4"}
    if view.encoding not in kinds:
        raise ValueError(f"a depth image is encoded as '{view.encoding}'; expected 16UC1 or 32FC1.")
    numbers = _rows(view, np.dtype((">" if view.is_bigendian else "<") + kinds[view.encoding]), 1)
    if view.encoding == "32FC1":
        sound = (numbers > 0) & (numbers <= DEPTH_MAX)  # false for what is no number
        numbers = np.rint(1000 * np.where(sound, numbers, 0))
    metres: DepthArray = np.divide(numbers, np.float32(1000), dtype=np.float32)
    return metres


def _rows(view: ImageView, kind: np.dtype[Any], channels: int) -> npt.NDArray[Any]:
    """Return the numbers (h, w * channels) of an image, without what its rows are filled up with."""
    width = view.width * channels * kind.itemsize
    if view.step < width or len(view.data) != view.step * view.height:
        raise ValueError(f"an image of {view.width}x{view.height} came with {len(view.data)} bytes.")
    rows = np.frombuffer(view.data, np.uint8).reshape(view.height, view.step)[:, :width]
    return np.ascontiguousarray(rows).view(kind)


def _undistortion(lens: IntrinsicsConfig | None, model: CameraModel) -> tuple[Any, Any] | None:
    """Return where each pixel of the pinhole lies in the driver's image, or None if it is the same."""
    if lens is None or not any(lens.distortion):
        return None
    try:
        import cv2
    except ImportError as error:
        raise ConfigError('undistorting needs OpenCV: pip install "sinew[hardware]"') from error
    matrix = np.array([[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]])
    size, coefficients = (model.width, model.height), np.array(lens.distortion)
    maps = cv2.initUndistortRectifyMap(matrix, coefficients, None, matrix, size, cv2.CV_32FC1)
    return maps[0], maps[1]


def intrinsics_fault(info: Any, model: CameraModel, lens: IntrinsicsConfig | None, *, rectified: bool) -> str:
    """Return how a sensor_msgs/CameraInfo and the hardware file disagree, or ''; all zeros say nothing."""
    k, p = info.k, info.p
    theirs = (p[0], p[5], p[2], p[6]) if rectified else (k[0], k[4], k[2], k[5])
    if not theirs[0]:
        return ""
    distorted = any(info.d) and not rectified
    corrected = lens is not None and any(lens.distortion)
    values = ", ".join(
        f"{key}: {value:.2f}" for key, value in zip(("fx", "fy", "cx", "cy"), theirs, strict=True)
    )
    cure = f"Measure the lens with `sinew calibrate camera`, or write intrinsics: {{{values}}}"
    ours = (model.fx, model.fy, model.cx, model.cy)
    if np.abs(np.subtract(theirs, ours)).max() > CLOSE:
        wrong = ", ".join(f"{value:.2f}" for value in ours)
        return f"its driver says {values}; the hardware file says {wrong}. {cure}."
    if distorted and not corrected:
        numbers = ", ".join(f"{value:.5g}" for value in info.d)
        cure = f"{cure[:-1]}, distortion: [{numbers}]}}"
        return f"its images are distorted, of which the hardware file says nothing. {cure}."
    if rectified and corrected:
        return "its images are rectified by the driver; remove `distortion` from its intrinsics."
    return ""
