"""A camera from topics, against a stand-in for its driver, over real topics."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from graphs import wait_for
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, Image
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.protocols import Camera
from sinew_data.messages import image_to_wire
from sinew_nodes import convert, qos
from sinew_nodes.image_wire import image_from_wire
from sinew_nodes.topic_camera import (
    TopicCamera,
    TopicCameraConfig,
    depth_pixels,
    intrinsics_fault,
    rgb_pixels,
)

CAMERA = CameraConfig(64, 48, 45.0, (0.2, 0.0, 0.5), (0.2, 0.0, 0.0), up=(1.0, 0.0, 0.0))
COLOR_ONLY = replace(CAMERA, depth=False)
MODEL = CAMERA.model("top", "base_link")
BENT = (-0.3, 0.1, 0.0, 0.0, 0.0)
MILLISECOND = 1_000_000
COLOR, DEPTH, INFO = "/driver/color/image_raw", "/driver/depth/image_raw", "/driver/color/camera_info"
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 255, (48, 64, 3), dtype=np.uint8)
METRES = np.full((48, 64), 0.5, np.float32)


class Driver:
    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(args=[], context=self.context)
        self.node = rclpy.create_node("driver", context=self.context, use_global_arguments=False)
        profile = qos.sensor("realtime")
        self.color = self.node.create_publisher(Image, COLOR, profile)
        self.depth = self.node.create_publisher(Image, DEPTH, profile)
        self.info = self.node.create_publisher(CameraInfo, INFO, profile)
        self.rgb, self.metres = RGB, METRES
        self.lag = 0  # ns, of depth behind colour
        self.talks = True
        self.message = convert.camera_info_to_msg(1, MODEL, "optical")
        self.stamps: list[int] = []
        self.node.create_timer(0.02, self.tell)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self.executor.spin()

    def tell(self) -> None:
        if self.talks:
            stamp = time.time_ns()
            self.stamps.append(stamp)
            self.color.publish(convert.rgb_to_wire(stamp, self.rgb, "optical"))
            self.depth.publish(convert.depth_to_wire(stamp + self.lag, self.metres, "optical"))
            self.info.publish(self.message)

    def close(self) -> None:
        self.executor.shutdown(timeout_sec=0.2)
        self.thread.join(timeout=2.0)
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def driver(own_domain: None) -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@contextmanager
def opened(camera: CameraConfig = CAMERA, **fields: Any) -> Iterator[TopicCamera]:
    config = TopicCameraConfig(**{"color": COLOR, "depth": DEPTH, "first_frame": 3.0, **fields})
    opened = TopicCamera(config, camera, camera.model("top", "base_link"))
    try:
        yield opened
    finally:
        opened.close()


def test_colour_and_depth_of_one_moment_are_one_frame(driver: Driver) -> None:
    driver.lag = 3 * MILLISECOND
    with opened() as camera:
        assert isinstance(camera, Camera)
        frame = camera.read()
        assert np.array_equal(frame.rgb, RGB)
        assert frame.depth is not None
        assert np.array_equal(frame.depth, METRES)
        assert frame.stamp in driver.stamps


def test_a_driver_that_falls_silent_leaves_the_last_frame_with_its_old_stamp(driver: Driver) -> None:
    with opened() as camera:
        driver.talks = False
        time.sleep(0.1)
        last = camera.read()
        assert camera.read().stamp == last.stamp
        driver.talks = True
        wait_for(lambda: camera.read().stamp > last.stamp)


def test_read_returns_a_copy(driver: Driver) -> None:
    with opened() as camera:
        driver.talks = False
        time.sleep(0.1)
        frame = camera.read()
        frame.rgb[:] = 0
        assert frame.depth is not None
        frame.depth[:] = 9
        again = camera.read()
        assert np.array_equal(again.rgb, RGB)
        assert again.depth is not None
        assert np.array_equal(again.depth, METRES)


def test_a_camera_without_depth_needs_no_topic_for_it(driver: Driver) -> None:
    with opened(COLOR_ONLY, depth="") as camera:
        assert camera.read().depth is None


def test_a_camera_with_depth_must_name_its_topic() -> None:
    with pytest.raises(ConfigError, match="camera top: expects depth"), opened(depth=""):
        pass


def test_a_topic_on_which_nothing_comes_is_named_with_those_that_there_are(driver: Driver) -> None:
    with (
        pytest.raises(DeviceError, match=rf"nothing came on /driver/colour .*{COLOR}"),
        opened(color="/driver/colour", first_frame=0.5),
    ):
        pass


def test_depth_that_belongs_to_no_colour_image_is_told(driver: Driver) -> None:
    driver.lag = 300 * MILLISECOND
    with (
        pytest.raises(DeviceError, match="Have the driver synchronise them"),
        opened(first_frame=0.5, rate=1000.0),
    ):
        pass


def test_an_image_of_another_size_is_told(driver: Driver) -> None:
    driver.rgb = np.zeros((24, 32, 3), np.uint8)
    with pytest.raises(DeviceError, match="an image of 32x24 came; the hardware file says 64x48"), opened():
        pass


def test_another_encoding_is_told(driver: Driver) -> None:
    driver.rgb = np.zeros((48, 64), np.uint8)  # an rgb8 image that is none
    with pytest.raises(DeviceError, match="camera top: an image of 64x48 came with 3072 bytes"), opened():
        pass


def test_intrinsics_that_differ_from_the_drivers_are_told_with_the_cure(driver: Driver) -> None:
    driver.message.k[0] += 5.0
    with pytest.raises(DeviceError, match="sinew calibrate camera"), opened():
        pass


def test_without_camera_info_the_camera_opens_all_the_same(driver: Driver) -> None:
    with opened(info="/nowhere") as camera:
        assert camera.read().rgb.shape == (48, 64, 3)


def test_a_lens_is_undistorted(driver: Driver) -> None:
    """A straight line of the world, painted as the lens bends it, is straight again."""
    lens = IntrinsicsConfig(MODEL.fx, MODEL.fy, MODEL.cx, MODEL.cy, BENT)
    line = np.stack([np.linspace(-0.4, 0.4, 400), np.full(400, -0.3), np.ones(400)], axis=-1)
    matrix = np.array([[MODEL.fx, 0, MODEL.cx], [0, MODEL.fy, MODEL.cy], [0, 0, 1.0]])
    bent, _ = cv2.projectPoints(line, np.zeros(3), np.zeros(3), matrix, np.array(BENT))
    driver.rgb = np.zeros((48, 64, 3), np.uint8)
    for column, row in np.rint(bent[:, 0]).astype(int):
        driver.rgb[row, column] = 255
    driver.metres = (driver.rgb[..., 0] / 255).astype(np.float32)
    driver.message.d = list(BENT)
    with opened(replace(CAMERA, intrinsics=lens)) as camera:
        frame = camera.read()
    row = MODEL.cy - 0.3 * MODEL.fy
    for picture in (frame.rgb[..., 0] > 80, frame.depth > 0):
        rows = np.nonzero(picture[:, 15:50])[0]
        assert len(rows) > 30
        assert np.abs(rows - row).max() < 1.6
    assert set(np.unique(frame.depth)) <= {0.0, 1.0}  # depth is not mixed between neighbours


def view(pixels: np.ndarray, encoding: str) -> Any:
    return image_from_wire(image_to_wire(1, pixels, "optical", encoding))


def test_bgr_becomes_rgb() -> None:
    assert np.array_equal(rgb_pixels(view(RGB, "bgr8")), RGB[..., ::-1])


def test_rows_may_be_filled_up() -> None:
    filled = np.zeros((48, 80, 3), np.uint8)
    filled[:, :64] = RGB
    assert np.array_equal(rgb_pixels(replace(view(filled, "rgb8"), width=64)), RGB)


def test_depth_in_metres_becomes_whole_millimetres() -> None:
    metres = np.array([[0.5004, np.nan, np.inf], [-1.0, 70.0, 0.0]], np.float32)
    expected = np.array([[0.5, 0, 0], [0, 0, 0]], np.float32)
    assert np.array_equal(depth_pixels(view(metres, "32FC1")), expected)


def test_big_endian_depth_is_read_as_such() -> None:
    swapped = replace(view(np.array([[1500]], ">u2"), "16UC1"), is_bigendian=1)
    assert depth_pixels(swapped)[0, 0] == np.float32(1.5)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(ValueError, match="'yuv422'; expected rgb8 or bgr8"):
        rgb_pixels(view(RGB, "yuv422"))
    with pytest.raises(ValueError, match="'mono8'; expected 16UC1 or 32FC1"):
        depth_pixels(view(RGB[..., 0], "mono8"))


def info(**changes: Any) -> CameraInfo:
    message = convert.camera_info_to_msg(1, MODEL, "optical")
    for key, value in changes.items():
        setattr(message, key, value)
    return message


LENS = IntrinsicsConfig(MODEL.fx, MODEL.fy, MODEL.cx, MODEL.cy, BENT)


def test_intrinsics_within_a_pixel_are_the_same() -> None:
    k = [MODEL.fx + 0.9, 0, MODEL.cx - 0.9, 0, MODEL.fy, MODEL.cy, 0, 0, 1]
    assert not intrinsics_fault(info(k=k), MODEL, None, rectified=False)


def test_a_driver_that_knows_no_intrinsics_says_nothing_against_ours() -> None:
    assert not intrinsics_fault(info(k=[0.0] * 9), MODEL, None, rectified=False)


def test_rectified_images_are_compared_by_their_projection() -> None:
    rectified = info(k=[1.0, 0, 1, 0, 1, 1, 0, 0, 1], d=list(BENT))
    assert not intrinsics_fault(rectified, MODEL, None, rectified=True)
    assert "remove `distortion`" in intrinsics_fault(rectified, MODEL, LENS, rectified=True)


def test_distortion_that_nobody_would_correct_is_told_with_what_to_write() -> None:
    said = intrinsics_fault(info(d=list(BENT)), MODEL, None, rectified=False)
    assert "distortion: [-0.3, 0.1, 0, 0, 0]}" in said
    assert not intrinsics_fault(info(d=list(BENT)), MODEL, LENS, rectified=False)
