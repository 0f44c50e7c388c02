"""The RealSense driver, on software devices that go through librealsense as real ones do."""

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyrealsense2 as rs
import pytest
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.plugins import build
from sinew_core.protocols import Camera
from sinew_hardware import bench_camera
from sinew_hardware.cameras.realsense import RealsenseCamera, RealsenseConfig, device_intrinsics
from sinew_hardware.cameras.realsense_device import (
    Mode,
    choose_preset,
    find_device,
    refusal,
)
from sinew_hardware.cameras.realsense_lens import opencv_lens
from sinew_hardware.cameras.realsense_source import metres
from sinew_hardware.cameras.software_realsense import SoftwareRealsense, SoftwareSpec

WIDTH, HEIGHT = 64, 48
COLOUR = IntrinsicsConfig(60.0, 60.0, 32.25, 24.25)
DEPTH = IntrinsicsConfig(60.0, 60.0, 32.0, 24.0)
FPS = 90
SPEC = SoftwareSpec("0123", COLOUR, DEPTH, WIDTH, HEIGHT, FPS)
CAMERA = CameraConfig(WIDTH, HEIGHT, 45.0, (0.0, 0.0, 1.0), (0.3, 0.0, 0.0), intrinsics=COLOUR)
QUICK = RealsenseConfig("0123", FPS, silence=0.5, retry=0.02)


def open_camera(
    device: SoftwareRealsense, config: RealsenseConfig = QUICK, camera: CameraConfig = CAMERA
) -> RealsenseCamera:
    return RealsenseCamera(config, camera, camera.model("wrist", "base"), device.context)


def picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour, and a surface 500 mm away with one at 400 mm before it; both tell the number."""
    rgb = np.full((HEIGHT, WIDTH, 3), number % 256, np.uint8)
    depth = np.full((HEIGHT, WIDTH), 500 + number % 50, np.uint16)
    depth[20:30, 20:40] -= 100
    return rgb, depth


@contextlib.contextmanager
def streaming(
    spec: SoftwareSpec = SPEC, clock: Callable[[], int] = time.time_ns
) -> Iterator[SoftwareRealsense]:
    """A plugged device that captures a picture every few ms."""
    device, done = SoftwareRealsense(spec), threading.Event()

    def capture() -> None:
        for number in itertools.count():
            if done.wait(1 / FPS):
                return
            device.push(number, clock() // 1000 * 1000, *picture(number))

    thread = threading.Thread(target=capture)
    thread.start()
    try:
        yield device
    finally:
        done.set()
        thread.join()
        device.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def test_frames_stamps_and_intrinsics_of_two_cameras_arrive_exact():
    assert bench_camera.measure(0.3)["exact"]


def test_the_bench_ends_with_its_figures_as_json(capsys):
    bench_camera.main(["--seconds", "0.2", "--json"])
    assert {"lost", "exact", "fps", "seconds", "latency_p99_ms"} <= set(
        json.loads(capsys.readouterr().out.splitlines()[-1])
    )


@pytest.mark.parametrize("one_sensor", [False, True])
def test_colour_and_aligned_depth_come_from_the_same_capture(one_sensor):
    with streaming(replace(SPEC, one_sensor=one_sensor)) as device:
        camera = open_camera(device)
        frame = camera.read()
        camera.close()
    number = int(frame.rgb[0, 0, 0])
    assert (frame.rgb == number).all()
    assert frame.depth.dtype == np.float32
    assert frame.depth[40, 50] == np.float32(500 + number % 50) / np.float32(1000)
    assert frame.depth[25, 30] == np.float32(400 + number % 50) / np.float32(1000)


def test_depth_is_seen_from_the_colour_camera():
    baseline = 0.05  # m: a surface 0.5 m away moves by 6 px
    with streaming(replace(SPEC, baseline=baseline)) as device:
        camera = open_camera(device)
        depth = camera.read().depth
        camera.close()
    near = np.flatnonzero(np.median(depth[22:28], axis=0) < 0.46)
    shift = COLOUR.fx * baseline / 0.42
    assert near.min() == pytest.approx(20 - shift, abs=2)


def test_a_camera_without_depth_opens_colour_alone():
    with streaming() as device:
        camera = build(
            {"plugin": "sinew_hardware.cameras.realsense:RealsenseCamera", "serial": "0123", "fps": FPS},
            Camera,
            "test",
            camera=replace(CAMERA, depth=False),
            model=CAMERA.model("wrist", "base"),
            context=device.context,
        )
        frame = camera.read()
        camera.close()
    assert frame.depth is None
    assert frame.rgb.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("domain", ["global_time", "hardware_clock", "system_time"])
def test_stamps_lie_on_the_wall_clock_and_rise(domain):
    def clock() -> int:  # a device's own begins with the device
        return time.monotonic_ns() if domain == "hardware_clock" else time.time_ns()

    before = time.time_ns()
    stamps = []
    with streaming(replace(SPEC, clock=domain), clock) as device:
        camera = open_camera(device)

        def ten() -> bool:
            stamp = camera.read().stamp
            if not stamps or stamp != stamps[-1]:
                stamps.append(stamp)
            return len(stamps) == 10

        until(ten)
        camera.close()
    assert before - 1000 <= stamps[0]
    assert stamps[-1] <= time.time_ns()
    assert all(a < b for a, b in itertools.pairwise(stamps))


def test_an_unplugged_camera_keeps_its_old_frame_and_delivers_new_ones_once_it_is_back(caplog):
    with streaming() as device:
        camera = open_camera(device)
        device.unplug()
        until(lambda: "RealSense 0123 was not found" in caplog.text)
        old = camera.read()
        assert camera.read().stamp == old.stamp
        device.plug()
        until(lambda: camera.read().stamp > old.stamp)
        camera.close()
    assert sum("has delivered nothing" in record.getMessage() for record in caplog.records) == 1
    assert "camera wrist: opened again" in caplog.text


def test_a_closed_camera_can_be_opened_by_another_driver():
    with streaming() as device:
        first = open_camera(device)
        first.close()
        first.close()
        second = open_camera(device)
        assert second.read().rgb.shape == (HEIGHT, WIDTH, 3)
        second.close()


def test_a_camera_in_use_is_refused_and_goes_on_for_its_first_user():
    with streaming() as device:
        first = open_camera(device)
        with pytest.raises(DeviceError, match="camera wrist: it refused .*Software device is streaming"):
            open_camera(device)
        stamp = first.read().stamp
        until(lambda: first.read().stamp > stamp)  # the first one goes on
        first.close()


def test_a_device_that_delivers_nothing_is_refused_with_what_to_lower():
    device = SoftwareRealsense(SPEC)
    with pytest.raises(DeviceError, match="no frame came within 0.1 s. .*color 64x48 at 90 Hz.*lower width"):
        open_camera(device, replace(QUICK, first_frame=0.1))
    device.close()


def test_a_depth_stream_that_stops_makes_the_camera_late_and_lost(caplog):
    device = SoftwareRealsense(SPEC)
    opened: list[RealsenseCamera] = []
    opening = threading.Thread(target=lambda: opened.append(open_camera(device)))
    opening.start()
    for number in itertools.count():
        device.push(number, time.time_ns() // 1000 * 1000, *picture(number))
        opening.join(1 / FPS)
        if not opening.is_alive():
            break

    def lost() -> bool:
        device.push(number + 1, time.time_ns() // 1000 * 1000, picture(number)[0])
        return "has delivered nothing" in caplog.text

    until(lost)
    opened[0].close()
    device.close()


def test_an_unknown_serial_number_is_answered_with_those_that_are_there():
    with pytest.raises(DeviceError, match="no RealSense 0124. Did you mean '0123'"):
        open_camera(SoftwareRealsense(SPEC), replace(QUICK, serial="0124"))


def test_no_device_at_all_names_the_udev_rules():
    device = SoftwareRealsense(SPEC)
    device.unplug()
    with pytest.raises(DeviceError, match="RealSense 0123 was not found.*99-realsense-libusb.rules"):
        open_camera(device)


def test_without_a_serial_number_the_only_device_is_taken_but_never_one_of_two():
    found = [SimpleNamespace(supports=lambda key: True, get_info=lambda key, i=i: f"00{i}") for i in (1, 2)]
    context = SimpleNamespace(query_devices=lambda: found)
    with pytest.raises(DeviceError, match="`serial` must say which.* Available: 001, 002"):
        find_device(rs, context, "", "camera wrist")
    found.pop()
    assert find_device(rs, context, "", "camera wrist") is found[0]


@pytest.mark.parametrize(
    ("camera", "fps", "sentence"),
    [
        (CAMERA, 60, "no color 64x48 at 60 Hz. At 64x48 it offers 90 Hz: change `fps`"),
        (replace(CAMERA, width=128), 90, "At 90 Hz it offers 64x48: change the width and height"),
        (replace(CAMERA, width=128), 60, "It offers 64x48 at 90 Hz"),
    ],
)
def test_a_mode_that_the_device_lacks_is_answered_with_those_that_it_has(camera, fps, sentence):
    device = SoftwareRealsense(SPEC)
    with pytest.raises(DeviceError, match=sentence):
        open_camera(device, replace(QUICK, fps=fps), camera)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "xioctl(VIDIOC_S_FMT) failed, errno=16 Last Error: Device or resource busy",
            "another program uses it",
        ),
        ("failed to claim usb interface: 0, error: RS2_USB_STATUS_BUSY", "another program uses it"),
        ("failed to open usb interface: 0, error: RS2_USB_STATUS_ACCESS", "udev rules"),
        ("Cannot open '/dev/video2 Last Error: Permission denied", "udev rules"),
        (
            "xioctl(VIDIOC_STREAMON) failed for buf_type=1 Last Error: No space left on device",
            "bandwidth for color 640x480 at 30 Hz and depth 640x480 at 30 Hz: lower width, height or fps",
        ),
        ("something else", "it refused color 640x480 at 30 Hz"),
    ],
)
def test_what_librealsense_says_becomes_a_sentence_with_what_to_do(said, advice):
    modes = [Mode("color", 640, 480, 30), Mode("depth", 640, 480, 30)]
    sentence = str(refusal(RuntimeError(said), modes, "camera wrist"))
    assert sentence.startswith("camera wrist: ")
    assert advice in sentence
    assert said in sentence


def test_the_stored_lens_is_read_without_streaming():
    device = SoftwareRealsense(SPEC)
    assert device_intrinsics(QUICK, WIDTH, HEIGHT, device.context) == COLOUR


def test_another_lens_than_the_files_names_the_calibration():
    with streaming() as device, pytest.raises(ConfigError, match=r"4\.\d px apart.*`sinew calibrate camera`"):
        open_camera(device, QUICK, replace(CAMERA, intrinsics=replace(COLOUR, cx=COLOUR.cx + 4.2)))


def test_a_nominal_field_of_view_is_compared_too():
    with streaming() as device, pytest.raises(ConfigError, match="`sinew calibrate camera`"):
        open_camera(device, QUICK, replace(CAMERA, intrinsics=None))


def test_a_lens_within_the_tolerance_is_taken():
    with streaming() as device:
        open_camera(device, QUICK, replace(CAMERA, intrinsics=replace(COLOUR, cx=COLOUR.cx + 0.9))).close()


def test_a_devices_distortion_is_stored_and_undone():
    bent = replace(COLOUR, distortion=(0.25, 0.0625, 0.0, 0.0, 0.0))
    with streaming(replace(SPEC, colour=bent)) as device:
        stored = device_intrinsics(QUICK, WIDTH, HEIGHT, device.context)
        camera = open_camera(device, QUICK, replace(CAMERA, intrinsics=stored))
        frame = camera.read()
        camera.close()
    assert stored == bent
    assert frame.rgb[HEIGHT // 2, WIDTH // 2].min() == frame.rgb.max()  # the middle is seen
    assert frame.rgb[0, 0].max() == 0  # a pincushion's corners are not


@pytest.mark.parametrize("model", ["inverse_brown_conrady", "modified_brown_conrady"])
def test_a_lens_of_another_model_is_written_as_opencv_would_see_it(model):
    own = rs.intrinsics()
    own.width, own.height, own.fx, own.fy, own.ppx, own.ppy = 640, 480, 610.0, 611.0, 322.0, 239.0
    own.model, own.coeffs = getattr(rs.distortion, model), [-0.06, 0.07, 0.001, -0.0005, -0.02]
    lens = opencv_lens(rs, own)
    k1, k2, p1, p2, k3 = lens.distortion
    for x, y in [(-0.5, -0.35), (0.2, 0.1), (0.45, -0.3)]:
        r2 = x * x + y * y
        bend = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        u = x * bend + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        v = y * bend + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        expected = rs.rs2_project_point_to_pixel(own, [x, y, 1.0])
        assert (lens.fx * u + lens.cx, lens.fy * v + lens.cy) == pytest.approx(expected, abs=0.05)


def test_a_lens_that_opencv_cannot_describe_names_the_calibration():
    own = rs.intrinsics()
    own.width, own.height, own.fx, own.fy, own.ppx, own.ppy = 640, 480, 200.0, 200.0, 320.0, 240.0
    own.model, own.coeffs = rs.distortion.ftheta, [1.5, 0, 0, 0, 0]
    with pytest.raises(DeviceError, match="`sinew calibrate camera`"):
        opencv_lens(rs, own)


def presets() -> SimpleNamespace:
    names = {0.0: "Custom", 1.0: "Default", 2.0: "Hand", 3.0: "High Accuracy"}
    chosen: list[float] = []
    return SimpleNamespace(
        chosen=chosen,
        supports=lambda option: True,
        get_option_range=lambda option: SimpleNamespace(min=0.0, max=3.0, step=1.0),
        get_option_value_description=lambda option, value: names[value],
        set_option=lambda option, value: chosen.append(value),
    )


@pytest.mark.parametrize("written", ["High Accuracy", "high_accuracy", "HIGH ACCURACY"])
def test_a_preset_is_chosen_by_its_name(written):
    sensor = presets()
    choose_preset(rs, sensor, written, "camera wrist")
    assert sensor.chosen == [3.0]


def test_an_unknown_preset_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="unknown preset 'High Acuracy'. Did you mean 'High Accuracy'"):
        choose_preset(rs, presets(), "High Acuracy", "camera wrist")


def test_a_preset_of_a_device_without_any_is_refused():
    with streaming() as device, pytest.raises(ConfigError, match="no visual presets"):
        open_camera(device, replace(QUICK, preset="Default"))


@pytest.mark.parametrize("unit", [0.001, float(np.float32(0.001))])
def test_depth_in_millimetres_stays_whole_millimetres(unit):
    raw = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(metres(raw, unit), raw.astype(np.float32) / np.float32(1000))


def test_finer_depth_is_rounded_to_whole_millimetres():
    raw = np.array([[0, 4, 6, 12346]], np.uint16)
    assert (
        metres(raw, float(np.float32(0.0001))).tolist()
        == (np.float32([[0, 0, 1, 1235]]) / np.float32(1000)).tolist()
    )


def test_a_finer_unit_of_the_device_reaches_the_frame():
    with streaming(replace(SPEC, unit=0.0001)) as device:
        camera = open_camera(device)
        depth = camera.read().depth
        camera.close()
    assert 0.05 <= float(depth[40, 50]) <= 0.055


@pytest.mark.parametrize("fields", [{"fps": 0}, {"tolerance": 0.0}, {"latency": -1.0}, {"retry": 0.0}])
def test_wrong_fields_are_refused(fields):
    with pytest.raises(ValueError, match="must be positive"):
        RealsenseConfig("0123", **fields)


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyrealsense2", None)
    with pytest.raises(DeviceError, match=r'pip install "sinew\[realsense\]"'):
        device_intrinsics(QUICK, WIDTH, HEIGHT)
