"""Video devices and video files as cameras."""

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sinew_core.cameras import CameraConfig
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.plugins import build
from sinew_core.protocols import Camera
from sinew_hardware.cameras.video import VideoCamera, VideoConfig

DEVICE = "/dev/null"  # a character device, as cameras are
PLUGIN = "sinew_hardware.cameras.video:VideoCamera"


def config(width: int = 64, height: int = 48, depth: bool = False) -> CameraConfig:
    return CameraConfig(width, height, 45.0, (0.0, 0.0, 1.0), (0.3, 0.0, 0.0), depth=depth)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def film(path: Path, count: int = 6) -> Path:
    """Write frames of one colour each: red rises by 40 from frame to frame, green is 0, blue 200."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for i in range(count):
        writer.write(np.full((48, 64, 3), (200, 0, 40 * i), np.uint8))
    writer.release()
    return path


class FakeCapture:
    """A `cv2.VideoCapture` of a device: it keeps to what it can do, and can be unplugged."""

    def __init__(self, size: tuple[int, int] = (64, 48), opens: bool = True) -> None:
        self.size, self.opens, self.plugged = size, opens, True
        self.settings: list[tuple[int, float]] = []
        self.opened: list[tuple[str, int]] = []
        self.released = 0
        self.count = 0

    def __call__(self, path: str, backend: int) -> "FakeCapture":
        self.opened.append((path, backend))
        return self

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens and self.plugged

    def set(self, what: int, value: float) -> bool:
        self.settings.append((what, value))
        return True

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: self.size[0], cv2.CAP_PROP_FRAME_HEIGHT: self.size[1]}[what]

    def grab(self) -> bool:
        time.sleep(0.002)
        self.count += 1
        return self.plugged

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((self.size[1], self.size[0], 3), (30, 20, 10), np.uint8)

    def release(self) -> None:
        self.released += 1


def device_camera(capture: FakeCapture, **fields) -> VideoCamera:
    options = VideoConfig(DEVICE, **({"retry": 0.01} | fields))
    return VideoCamera(options, config(), config().model("top", "base"), capture)


def test_a_video_file_plays_to_its_end_and_its_last_frame_stays(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        camera = build(
            {"plugin": PLUGIN, "source": str(film(tmp_path / "film.avi")), "fps": 200},
            Camera,
            "test",
            camera=config(),
            model=config().model("top", "base"),
        )
        until(lambda: "has ended" in caplog.text)
    last = camera.read()
    again = camera.read()
    camera.close()
    assert last.depth is None
    assert last.rgb.shape == (48, 64, 3)
    assert np.abs(last.rgb.mean(axis=(0, 1)) - (200, 0, 200)).max() < 6
    assert again.stamp == last.stamp


def test_colours_arrive_as_red_green_blue():
    camera = device_camera(FakeCapture())
    rgb = camera.read().rgb
    camera.close()
    assert rgb[0, 0].tolist() == [10, 20, 30]


def test_a_looped_video_begins_anew(tmp_path):
    path = film(tmp_path / "film.avi", 3)
    camera = VideoCamera(VideoConfig(str(path), fps=200, loop=True), config(), config().model("top", "base"))
    reds = []

    def looped() -> bool:
        reds.append(int(camera.read().rgb[..., 0].mean()))
        return any(a > 60 and b < 20 for a, b in itertools.pairwise(reds))

    until(looped)
    camera.close()


def test_a_device_is_asked_for_format_size_rate_and_the_shortest_buffer():
    capture = FakeCapture()
    device_camera(capture, fps=60).close()
    assert capture.opened == [(DEVICE, cv2.CAP_V4L2)]
    assert capture.settings == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 64),
        (cv2.CAP_PROP_FRAME_HEIGHT, 48),
        (cv2.CAP_PROP_FPS, 60),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]


def test_a_stamp_is_the_time_of_the_grab_less_the_latency():
    before = time.time_ns()
    camera = device_camera(FakeCapture(), latency=100.0)
    stamp = camera.read().stamp
    camera.close()
    assert before <= stamp + 100 * 10**9 <= time.time_ns()


def test_an_unplugged_device_keeps_its_old_stamp_and_comes_back_when_plugged_in(caplog):
    capture = FakeCapture()
    camera = device_camera(capture)
    capture.plugged = False
    until(lambda: capture.released >= 3)
    old = camera.read()
    assert camera.read().stamp == old.stamp
    assert sum("no longer delivers" in record.getMessage() for record in caplog.records) == 1
    capture.plugged = True
    until(lambda: camera.read().stamp > old.stamp)
    camera.close()


def test_a_device_of_another_size_is_refused_with_both_sizes():
    capture = FakeCapture((640, 480))
    with pytest.raises(DeviceError, match="delivers 640x480 pixels, but the hardware file says 64x48"):
        device_camera(capture)
    assert capture.released == 1


def test_a_device_in_use_is_refused_with_what_to_do():
    capture = FakeCapture(opens=False)
    with pytest.raises(DeviceError, match="camera top: /dev/null cannot be opened: another program uses it"):
        device_camera(capture)
    assert capture.released == 1


def test_a_silent_device_is_refused_with_what_to_lower():
    class Silent(FakeCapture):
        def grab(self) -> bool:
            hold.wait(20)
            return False

    hold = threading.Event()
    timer = threading.Timer(0.2, hold.set)
    timer.start()
    with pytest.raises(DeviceError, match="no frame came within 0.05 s. .*lower width, height or fps"):
        device_camera(Silent(), first_frame=0.05)
    timer.join()


def test_a_device_that_may_not_be_opened_names_the_group(monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DeviceError, match="group `video`"):
        device_camera(FakeCapture())


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(DeviceError, match="camera top: /dev/video97 does not exist"):
        VideoCamera(VideoConfig(97), config(), config().model("top", "base"))


def test_a_file_that_is_not_there_is_answered_with_its_neighbours(tmp_path):
    film(tmp_path / "table.avi")
    with pytest.raises(DeviceError, match="Did you mean 'table.avi'"):
        VideoCamera(VideoConfig(str(tmp_path / "tabel.avi")), config(), config().model("top", "base"))


def test_a_file_that_is_no_video_is_refused(tmp_path):
    path = tmp_path / "film.avi"
    path.write_text(json.dumps({"no": "video"}))
    with pytest.raises(DeviceError, match="is no video that OpenCV can read"):
        VideoCamera(VideoConfig(str(path)), config(), config().model("top", "base"))


def test_depth_of_a_video_camera_is_refused():
    with pytest.raises(ConfigError, match="depth: false"):
        VideoCamera(VideoConfig(0), config(depth=True), config().model("top", "base"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"fps": 0}, "fps"), ({"fourcc": "MJPEG"}, "four letters"), ({"fpz": 3}, "'fps'")],
)
def test_wrong_fields_are_config_errors(fields, sentence):
    with pytest.raises(ConfigError, match=sentence):
        build(
            {"plugin": PLUGIN, "source": 0, **fields},
            Camera,
            "test",
            camera=config(),
            model=config().model("top", "base"),
        )
