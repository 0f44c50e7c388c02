"""What all camera drivers share: the newest frame, stamps on the wall clock, undistortion."""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import DeviceError
from sinew_core.types import NANOSECONDS, CameraFrame
from sinew_core.watchdogs import FrozenCamera, StaleDevice
from sinew_hardware.cameras.newest import NewestFrame, Patience
from sinew_hardware.cameras.stamps import CaptureClock
from sinew_hardware.cameras.undistort import Undistortion

QUICK = Patience(first_frame=5.0, retry=0.01)
MS = NANOSECONDS // 1000


class ScriptedSource:
    """Delivers what a test puts into it; an exception is raised, as a driver would."""

    def __init__(self) -> None:
        self.script: queue.Queue[CameraFrame | Exception] = queue.Queue()
        self.closed = 0

    def grab(self) -> CameraFrame | None:
        try:
            item = self.script.get(timeout=0.005)
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.closed += 1


def frame(stamp: int, value: int = 0) -> CameraFrame:
    return CameraFrame(stamp, np.full((4, 6, 3), value, np.uint8), np.full((4, 6), 0.5, np.float32))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


@pytest.fixture
def source():
    source = ScriptedSource()
    source.script.put(frame(1))
    return source


def test_a_read_frame_is_a_copy(source):
    newest = NewestFrame("camera top", lambda: source, QUICK)
    newest.open()
    first = newest.read()
    first.rgb[:], first.depth[:] = 9, 9
    again = newest.read()
    newest.close()
    assert again.rgb.max() == 0
    assert again.depth.max() == np.float32(0.5)


def test_the_newest_frame_is_returned_and_repeated_with_its_stamp_while_nothing_is_new(source):
    newest = NewestFrame("camera top", lambda: source, QUICK)
    newest.open()
    source.script.put(frame(2, 7))
    until(lambda: newest.read().stamp == 2)
    again = newest.read()
    newest.close()
    assert again.stamp == 2
    assert again.rgb.max() == 7


def test_a_late_camera_is_named_by_the_watchdog_through_its_old_stamp(source):
    newest = NewestFrame("camera top", lambda: source, QUICK)
    newest.open()
    watchdog = StaleDevice("camera top", max_age=0.3)
    assert watchdog.look(newest.read().stamp, 0) == (True, "")
    fault = watchdog.look(newest.read().stamp, 400 * MS)[1]
    newest.close()
    assert "camera top has stopped" in fault


def test_a_frozen_camera_is_named_by_the_watchdog_though_its_stamps_go_on(source):
    newest = NewestFrame("camera top", lambda: source, QUICK)
    newest.open()
    watchdog = FrozenCamera("camera top", motion=0.0)
    first = newest.read()
    source.script.put(frame(2))
    until(lambda: newest.read().stamp == 2)
    second = newest.read()
    newest.close()
    assert watchdog.look(first, np.zeros(1)) == ""
    assert "camera top is frozen" in watchdog.look(second, np.ones(1))


def test_an_unplugged_camera_is_logged_once_and_keeps_its_old_frame(source, caplog):
    tries = []

    def open_source():
        tries.append(1)
        if len(tries) == 1:
            return source
        raise DeviceError("camera top: it is not there.")

    newest = NewestFrame("camera top", open_source, QUICK)
    with caplog.at_level(logging.WARNING):
        newest.open()
        source.script.put(DeviceError("camera top: it was unplugged."))
        until(lambda: len(tries) > 4)
        old = newest.read()
        newest.close()
    said = [record.getMessage() for record in caplog.records]
    assert old.stamp == 1
    assert sum("it was unplugged" in sentence for sentence in said) == 1
    assert sum("it is not there" in sentence for sentence in said) == 1
    assert source.closed == 1


def test_a_camera_that_is_plugged_in_again_delivers_new_frames(source):
    second = ScriptedSource()
    opened = iter([source, second])
    newest = NewestFrame("camera top", lambda: next(opened), QUICK)
    newest.open()
    source.script.put(DeviceError("camera top: it was unplugged."))
    second.script.put(frame(5, 3))
    until(lambda: newest.read().stamp == 5)
    newest.close()
    assert (source.closed, second.closed) == (1, 1)


def test_a_driver_that_fails_in_an_unknown_way_is_a_lost_camera_with_a_traceback(source, caplog):
    second = ScriptedSource()
    opened = iter([source, second])
    newest = NewestFrame("camera top", lambda: next(opened), QUICK)
    newest.open()
    source.script.put(ZeroDivisionError("a bug"))
    second.script.put(frame(5))
    until(lambda: newest.read().stamp == 5)
    newest.close()
    assert any(record.exc_info for record in caplog.records)
    assert "ZeroDivisionError: a bug" in caplog.text


def test_a_camera_that_delivers_nothing_does_not_open_and_says_what_to_look_for():
    silent = ScriptedSource()
    newest = NewestFrame("camera top", lambda: silent, Patience(0.05, 1.0), "Use another port.")
    with pytest.raises(DeviceError, match=r"camera top: .*no frame came within 0\.05 s\. Use another port\."):
        newest.open()
    assert silent.closed == 1


def test_a_camera_that_fails_before_its_first_frame_does_not_open_and_says_why():
    broken = ScriptedSource()
    broken.script.put(DeviceError("camera top: wrong size."))
    newest = NewestFrame("camera top", lambda: broken, QUICK)
    with pytest.raises(DeviceError, match="wrong size"):
        newest.open()
    assert broken.closed == 1


def test_closing_releases_the_device_once_and_may_be_repeated(source):
    newest = NewestFrame("camera top", lambda: source, QUICK)
    newest.open()
    newest.close()
    newest.close()
    assert source.closed == 1
    assert not any(thread.name == "camera top" for thread in threading.enumerate())


def test_closing_while_a_device_is_lost_ends_the_tries(source):
    opened = iter([source])

    def open_source():
        for device in opened:
            return device
        raise DeviceError("camera top: it is not there.")

    newest = NewestFrame("camera top", open_source, QUICK)
    newest.open()
    source.script.put(DeviceError("camera top: it was unplugged."))
    until(lambda: source.closed == 1)
    newest.close()
    assert not any(thread.name == "camera top" for thread in threading.enumerate())


def test_reading_before_opening_is_an_error_of_the_device():
    with pytest.raises(DeviceError, match="before it was opened"):
        NewestFrame("camera top", ScriptedSource, QUICK).read()


def test_a_device_that_knows_the_wall_clock_is_believed():
    assert CaptureClock(latency=5 * MS).of_wall(123_000) == 123_000


def test_the_quickest_frame_tells_the_offset_of_a_devices_own_clock():
    clock = CaptureClock()
    captures = np.arange(20) * 33 * MS
    delays = np.full(20, 30 * MS)
    delays[3] = 8 * MS
    stamps = [clock.of_device(int(c), int(c + d + 10**15)) for c, d in zip(captures, delays, strict=True)]
    assert stamps[3:] == [int(c + 8 * MS + 10**15) for c in captures[3:]]


def test_stamps_never_go_back_when_a_quicker_frame_mends_the_offset():
    clock = CaptureClock()
    delays = [80 * MS, 5 * MS, 5 * MS, 5 * MS, 5 * MS]
    stamps = [clock.of_device(i * 33 * MS, i * 33 * MS + delay) for i, delay in enumerate(delays)]
    assert all(later > earlier for earlier, later in itertools.pairwise(stamps))
    assert stamps[-1] == 4 * 33 * MS + 5 * MS


def test_a_known_latency_is_taken_off():
    assert CaptureClock(latency=4 * MS).of_device(0, 10 * MS) == 6 * MS


def test_a_device_whose_clock_began_anew_gets_a_new_offset():
    clock = CaptureClock()
    clock.of_device(100 * NANOSECONDS, 200 * NANOSECONDS)
    assert clock.of_device(0, 201 * NANOSECONDS) == 201 * NANOSECONDS


def test_an_offset_that_has_drifted_is_forgotten_after_a_while():
    clock = CaptureClock()
    clock.of_device(0, 0)
    for second in range(1, 30):
        stamp = clock.of_device(second * NANOSECONDS, second * NANOSECONDS + 7 * MS)
    assert stamp == 29 * NANOSECONDS + 7 * MS


LENS = IntrinsicsConfig(300.0, 300.0, 159.5, 119.5, (-0.3, 0.1, 0.001, -0.002, 0.0))


def camera(lens: IntrinsicsConfig | None) -> CameraConfig:
    return CameraConfig(320, 240, 45.0, (0.0, 0.0, 1.0), (0.3, 0.0, 0.0), intrinsics=lens)


def test_without_distortion_pictures_pass_bit_by_bit():
    config = camera(IntrinsicsConfig(300.0, 300.0, 159.5, 119.5, (0.0,) * 5))
    passing = Undistortion(config.intrinsics, config.model("top", "base"))
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    depth = rng.integers(0, 2000, (240, 320), dtype=np.uint16)
    assert np.array_equal(passing.colour(rgb), rgb)
    assert np.array_equal(passing.depth(depth), depth)
    assert passing.colour(rgb) is not rgb


def test_undistorted_points_lie_where_the_pinhole_model_sees_them():
    config = camera(LENS)
    model = config.model("top", "base")
    for x, y in [(-0.35, -0.25), (0.0, 0.0), (0.3, -0.2), (0.4, 0.3)]:
        r2 = x * x + y * y
        k1, k2, p1, p2, _ = LENS.distortion
        bend = 1 + k1 * r2 + k2 * r2 * r2
        bent = (
            x * bend + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * bend + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )
        seen = np.zeros((240, 320, 3), np.uint8)
        u, v = LENS.fx * bent[0] + LENS.cx, LENS.fy * bent[1] + LENS.cy
        rows, columns = np.mgrid[:240, :320]
        seen[...] = (255 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / 8))[..., None]
        picture = Undistortion(LENS, model).colour(seen)[..., 0].astype(float)
        found = (picture * columns).sum() / picture.sum(), (picture * rows).sum() / picture.sum()
        assert found == pytest.approx((model.fx * x + model.cx, model.fy * y + model.cy), abs=0.15)


def test_undistorted_depth_never_mixes_two_surfaces():
    depth = np.full((240, 320), 500, np.uint16)
    depth[:, 160:] = 900
    passed = Undistortion(LENS, camera(LENS).model("top", "base")).depth(depth)
    assert set(np.unique(passed)) <= {0, 500, 900}
    assert {500, 900} <= set(np.unique(passed))


def test_colour_and_depth_are_undistorted_alike():
    depth = np.full((240, 320), 500, np.uint16)
    depth[60:180, 90:230] = 900
    rgb = np.repeat((depth == 900).astype(np.uint8)[..., None] * 255, 3, axis=2)
    lens = Undistortion(LENS, camera(LENS).model("top", "base"))
    near, bright = lens.depth(depth) == 900, lens.colour(rgb)[..., 0] > 127
    edge = near ^ bright
    assert edge.mean() < 0.005
