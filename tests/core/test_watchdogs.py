import numpy as np
import pytest
from sinew_core.types import NANOSECONDS, CameraFrame, JointState
from sinew_core.watchdogs import ClockJump, FrozenCamera, StaleDevice, joints_fault

MS = 1_000_000


def test_a_device_whose_stamps_stand_still_is_named_after_its_age():
    watchdog = StaleDevice("camera top", max_age=0.3)
    assert watchdog.look(5, 0) == (True, "")
    assert watchdog.look(5, 300 * MS) == (False, "")
    new, sentence = watchdog.look(5, 301 * MS)
    assert not new
    assert sentence == "camera top has stopped: nothing new for 0.30 s (max_age 0.3 s)"
    assert watchdog.look(6, 302 * MS) == (True, "")
    assert watchdog.look(6, 500 * MS) == (False, ""), "its silence counts anew"


def frame(value, depth=1.0):
    return CameraFrame(0, np.full((20, 20, 3), value, np.uint8), np.full((20, 20), depth, np.float32))


def joints(value):
    return np.full(6, float(value))


def test_the_same_picture_while_the_arm_moves_is_a_frozen_camera():
    watchdog = FrozenCamera("camera top", motion=0.5)
    assert watchdog.look(frame(7), joints(0.0)) == ""
    assert watchdog.look(frame(7), joints(0.05)) == "", "0.3 rad in all"
    assert "camera top is frozen" in watchdog.look(frame(7), joints(0.1))
    assert watchdog.look(frame(8), joints(0.2)) == ""


def test_the_same_picture_of_an_arm_at_rest_is_none():
    watchdog = FrozenCamera("camera top", motion=0.5)
    assert {watchdog.look(frame(7), joints(0.3)) for _ in range(50)} == {""}


def test_an_arm_that_moves_out_of_a_cameras_sight_freezes_nothing():
    watchdog = FrozenCamera(
        "camera top", motion=0.5, shows=lambda a, b: 100 * max(0.0, b[0] - max(a[0], 1.0))
    )
    assert {watchdog.look(frame(7), joints(x)) for x in (0.0, 0.3, 0.6, 0.9, 1.01)} == {""}
    assert "frozen" in watchdog.look(frame(7), joints(1.03))
    assert "frozen" in watchdog.look(frame(7), joints(1.0)), "until the picture changes"
    assert watchdog.look(frame(8), joints(1.0)) == ""


def test_a_camera_with_noise_may_not_repeat_a_single_frame():
    watchdog = FrozenCamera("camera top", motion=0.0)
    assert watchdog.look(frame(7), joints(0)) == ""
    assert "frozen" in watchdog.look(frame(7), joints(0))


@pytest.mark.parametrize("where", [(1, 1), (8, 3)])
def test_one_other_pixel_is_another_picture(where):
    watchdog = FrozenCamera("camera top", motion=0.0)
    watchdog.look(frame(7), joints(0))
    other = frame(7)
    other.rgb[where] = 9
    assert watchdog.look(other, joints(0)) == ""


def test_other_depth_is_another_picture():
    watchdog = FrozenCamera("camera top", motion=0.0)
    watchdog.look(frame(7), joints(0))
    assert watchdog.look(frame(7, depth=1.001), joints(0)) == ""


@pytest.mark.parametrize("jump", [-3.0, 0.25, 10.0])
def test_a_clock_that_jumps_is_named_once(jump):
    watchdog = ClockJump(0.2)
    start = 5 * NANOSECONDS
    assert watchdog.look(start, 0) == ""
    assert watchdog.look(start + 50 * MS, 50 * MS) == ""
    later = start + 100 * MS + round(jump * NANOSECONDS)
    assert f"{jump:+.1f}"[:3] in watchdog.look(later, 100 * MS)
    assert watchdog.look(later + 50 * MS, 150 * MS) == ""


def test_a_late_reading_is_no_jump():
    watchdog = ClockJump(0.2)
    watchdog.look(0, 0)
    assert watchdog.look(2 * NANOSECONDS, 2 * NANOSECONDS) == ""


def test_a_clock_never_goes_back_however_little():
    watchdog = ClockJump(0.2)
    watchdog.look(5 * NANOSECONDS, 0)
    assert watchdog.look(5 * NANOSECONDS - 50 * MS, 50 * MS) == "the clock has gone back by 0.050 s"


def test_a_device_whose_stamps_go_back_is_named():
    watchdog = StaleDevice("camera top", max_age=0.3)
    watchdog.look(1000 * MS, 0)
    new, sentence = watchdog.look(900 * MS, 50 * MS)
    assert not new
    assert sentence == "camera top: its stamp has gone back by 0.100 s"
    assert watchdog.look(1100 * MS, 100 * MS) == (True, "")


def reading(position, velocity=None):
    position = np.asarray(position, float)
    return JointState(0, position, np.zeros_like(position) if velocity is None else np.asarray(velocity))


def test_a_reading_that_is_no_number_or_of_other_joints_is_named():
    names = ("pan", "lift")
    assert joints_fault(reading([0.1, 0.2]), names) == ""
    assert joints_fault(reading([0.1, np.nan]), names) == "arm: lift was read as nan"
    assert joints_fault(reading([0.1, 0.2], [-np.inf, 0.0]), names) == "arm: pan was read to move at -inf"
    assert joints_fault(reading([0.1]), names) == "arm: 1 joints were read, expected 2: pan, lift"
    assert joints_fault(reading([0.1, 0.2], [0.0]), names).startswith("arm: 1 velocities were read")
