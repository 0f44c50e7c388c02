"""How stations of devices end: closed, killed, or never opened; nothing is left of any of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from desk import until
from emulated_file import TOP, emulated
from memory_bus import ROBOT
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.preflight import NotReadyError
from sinew_core.types import JointCommand
from sinew_hardware.emulators.emulated import EmulatedStation
from sinew_hardware.real_station import RealStation

PARENT = """
import sys, time
from sinew_core.hardware import load_hardware
station = load_hardware(sys.argv[1]).open_station("reach")
print(station.attendant.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where emulators put what they need; short, for a socket's path may not be long."""
    with tempfile.TemporaryDirectory(prefix="t-") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def nothing_left(folder: Path) -> Iterator[None]:
    """No process, thread or file is there after a test that was not there before."""
    here = psutil.Process()
    processes, threads = set(here.children(recursive=True)), set(threading.enumerate())
    yield
    assert set(here.children(recursive=True)) <= processes
    assert until(lambda: set(threading.enumerate()) <= threads), threading.enumerate()
    assert list(folder.iterdir()) == []


def opened(folder: Path, **changes: Any) -> RealStation:
    station = emulated(folder, changes).open_station("reach")
    assert isinstance(station, RealStation)
    return station


def attendant_of(station: RealStation) -> EmulatedStation:
    assert isinstance(station.attendant, EmulatedStation)
    return station.attendant


def test_two_stations_stand_side_by_side_and_the_end_of_one_leaves_the_other(
    nothing_left: None, tmp_path: Path
) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    target = ROBOT.home.copy()
    target[0] += 0.3
    one.arm.write(JointCommand(time.time_ns(), target))
    moved = attendant_of(one)
    assert until(lambda: moved.talk("state")["position"][0] > target[0] - 0.1)
    one.close()
    one.close()
    with pytest.raises(DeviceError, match="the emulator does not answer"):
        moved.talk("state")
    assert abs(attendant_of(other).talk("state")["position"][0] - ROBOT.home[0]) < 0.05
    other.close()


def test_an_emulator_ends_with_its_parent_however_that_ends(folder: Path, tmp_path: Path) -> None:
    path = emulated(tmp_path, {}).path
    environment = os.environ | {"TMPDIR": str(folder)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert parent.stdout is not None
    with parent.stdout:
        place = Path(parent.stdout.readline().decode().strip())
        children = psutil.Process(parent.pid).children(recursive=True)
        try:
            assert place.parent == folder
            assert children
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    for left in alive:
        left.kill()
    assert alive == []
    assert until(lambda: not place.exists())


def test_an_emulator_that_is_gone_is_told_and_its_station_can_be_closed(
    nothing_left: None, tmp_path: Path
) -> None:
    station = opened(tmp_path)
    (emulator,) = psutil.Process().children()
    emulator.kill()
    with pytest.raises(DeviceError, match="the emulator"):
        attendant_of(station).talk("state")
    station.close()


ARM = "sinew_hardware.arms.feetech:FeetechArm"
NOWHERE = {"plugin": "sinew_hardware.cameras.vidio:VideoCamera"}


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        (
            {"station": {"arm": {"port": "{emulator}/but"}}},
            DeviceError,
            r"sinew-\w+/but: there is no such port",
        ),
        ({"station": {"arm": {"servos": {"elbow_flex": {"id": 9}}}}}, DeviceError, r"servo 9 \(elbow_flex\)"),
        ({"station": {"arm": {"plugin": "nowhere.arms:Arm"}}}, ConfigError, "nowhere"),
        ({"cameras": {"top": {"device": NOWHERE}}}, ConfigError, r"top: device.*Did you mean 'video'"),
        (
            {"station": {"emulator": {"moters": {}}}},
            ConfigError,
            "unknown key 'moters'. Did you mean 'motors'",
        ),
        ({"station": {"emulator": {"baud": 1234}}}, ConfigError, "1234 is no rate of a serial port"),
    ],
    ids=["port", "servo", "arm driver", "camera driver", "emulator key", "rate"],
)
def test_what_cannot_be_opened_is_named_and_nothing_stays_open(
    nothing_left: None, tmp_path: Path, changes: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        opened(tmp_path, **changes)


def test_a_silent_servo_is_named_and_nothing_stays_open(
    nothing_left: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = EmulatedStation.__init__

    def silenced(self: EmulatedStation, *arguments: Any) -> None:
        begin(self, *arguments)
        self.talk("fault", kind="silent", servo=3)

    monkeypatch.setattr(EmulatedStation, "__init__", silenced)
    with pytest.raises(DeviceError, match=r"servo 3 \(elbow_flex\) does not answer; found: 1, 2, 4, 5, 6"):
        opened(tmp_path)


def test_an_unknown_task_is_answered_with_the_nearest(nothing_left: None, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pick_plase.*Did you mean 'pick_place'"):
        emulated(tmp_path, {}).open_station("pick_plase")


def test_a_camera_without_a_driver_is_named(nothing_left: None, tmp_path: Path) -> None:
    bench = emulated(tmp_path, {"station": {"emulator": None}, "cameras": {"top": TOP}})
    with pytest.raises(
        ConfigError, match=r"cameras: top: device: expected the plugin of this camera's driver"
    ):
        bench.open_station("reach")


def test_all_that_is_wrong_is_told_before_anything_may_move(nothing_left: None, tmp_path: Path) -> None:
    with pytest.raises(NotReadyError) as told:
        opened(
            tmp_path,
            station={"emulator": {"motors": {"voltage": 3.9}}},
            safety={"workspace_lower": [0.37, -0.25, 0.0]},
        )
    wrong = [check.name for check in told.value.checks if check.verdict == "wrong"]
    assert len(wrong) == 7
    assert wrong[-1] == "limits"
    assert "desk: not ready to move: servo 1 (shoulder_pan): has 3.9 V" in str(told.value)
    assert "home lies outside of the workspace" in str(told.value)
    assert {"joints", "stop", "camera top"} <= {check.name for check in told.value.checks}
