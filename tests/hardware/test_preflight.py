"""What keeps a station of devices from moving, and what is only told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sinew_core.config import load_yaml
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware, find_hardware, load_hardware
from sinew_core.preflight import Check, NotReadyError
from sinew_core.protocols import Camera
from sinew_core.types import CameraFrame, JointCommand, JointState
from sinew_hardware.arms.servo_check import ServoHealth, check_servo
from sinew_hardware.preflight import look_at_devices, preflight

TODAY = date(2026, 11, 29)
HARDWARE = load_hardware("so101_emulated")


@dataclass
class Arm:
    position: Any = field(default_factory=HARDWARE.robot.home.copy)
    broken: str = ""
    deaf: str = ""
    well: tuple[Check, ...] = ()

    def read(self) -> JointState:
        if self.broken:
            raise DeviceError(self.broken)
        return JointState(time.time_ns(), self.position, np.zeros(6))

    def write(self, command: JointCommand) -> None:
        pytest.fail("pre-flight moves nothing")

    def stop(self) -> None:
        if self.deaf:
            raise DeviceError(self.deaf)

    def close(self) -> None:
        pass

    def checks(self) -> tuple[Check, ...]:
        return self.well


@dataclass
class Eye:
    name: str = "top"
    size: tuple[int, int] = (240, 320)
    depth: bool = True
    age: float = 0.02
    still: bool = False

    @property
    def model(self) -> Any:
        return HARDWARE.cameras[self.name]

    def read(self) -> CameraFrame:
        stamp = 10**18 if self.still else time.time_ns() - round(self.age * 1e9)
        depth = np.zeros(self.size, np.float32) if self.depth else None
        return CameraFrame(stamp, np.zeros((*self.size, 3), np.uint8), depth)

    def close(self) -> None:
        pass


@dataclass
class Station:
    arm: Arm = field(default_factory=Arm)
    cameras: dict[str, Camera] = field(default_factory=dict)
    world: None = None

    def close(self) -> None:
        pass


def wrong(station: Station, hardware: Hardware = HARDWARE) -> dict[str, str]:
    checks = preflight(station, hardware, TODAY)
    return {check.name: check.sentence for check in checks if check.verdict == "wrong"}


def test_a_sound_station_may_move() -> None:
    assert wrong(Station(cameras={"top": Eye()})) == {}


def test_an_arm_that_does_not_answer_is_told_in_its_own_words() -> None:
    assert wrong(Station(Arm(broken="servo 3 is silent"))) == {"joints": "servo 3 is silent"}


def test_a_joint_that_is_not_a_number_is_named() -> None:
    position = HARDWARE.robot.home.copy()
    position[2] = np.nan
    assert "elbow_flex" in wrong(Station(Arm(position)))["joints"]


def test_an_arm_far_outside_of_its_limits_is_probably_not_calibrated() -> None:
    position = HARDWARE.robot.home.copy()
    position[1] = HARDWARE.robot.lower[1] - 0.3
    assert "shoulder_lift" in wrong(Station(Arm(position)))["joints"]
    assert "sinew calibrate servos" in wrong(Station(Arm(position)))["joints"]


def test_a_limp_arm_may_rest_a_little_outside_of_its_limits() -> None:
    assert wrong(Station(Arm(HARDWARE.robot.lower - 0.05))) == {}


def test_what_a_servo_says_of_itself_counts() -> None:
    hot = check_servo(ServoHealth("elbow_flex", 3, 12.0, 71.0, 0.0, ""), (6.0, 13.0), 60.0)
    assert wrong(Station(Arm(well=(hot,)))) == {
        "servo 3 (elbow_flex)": "is at 71 deg C; let it cool below 60."
    }


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (ServoHealth("gripper", 6, 4.1, 30.0, 0.0, ""), "has 4.1 V, expected 6.0 to 13.0 V"),
        (ServoHealth("gripper", 6, 12.0, 30.0, 0.0, "overload"), "reports overload"),
    ],
)
def test_wrong_voltages_and_errors_are_told(health: ServoHealth, sentence: str) -> None:
    check = check_servo(health, (6.0, 13.0), 60.0)
    assert check.verdict == "wrong"
    assert sentence in check.sentence


def test_an_arm_that_cannot_be_stopped_may_not_move() -> None:
    assert "the port is gone" in wrong(Station(Arm(deaf="the port is gone")))["stop"]


@pytest.mark.parametrize(
    ("eye", "sentence"),
    [
        (Eye(still=True), "nothing new within"),
        (Eye(size=(480, 640)), r"delivers (640, 480), expected (320, 240)"),
        (Eye(depth=False), "delivers no depth"),
        (Eye(age=0.5), "0.50 s old"),
        (Eye(age=-0.5), "-0.50 s old"),
    ],
)
def test_a_camera_that_is_not_as_the_file_says_is_told(eye: Eye, sentence: str) -> None:
    assert sentence in wrong(Station(cameras={"top": eye}))["camera top"]


def test_a_home_outside_of_the_workspace_is_told() -> None:
    safety = replace(HARDWARE.config.safety, workspace_lower=(0.3, -0.25, 0.0))
    hardware = replace(HARDWARE, config=replace(HARDWARE.config, safety=safety))
    assert "home lies outside" in wrong(Station(), hardware)["limits"]


def test_calibrations_that_lack_or_are_old_are_told_and_forbid_nothing() -> None:
    config = replace(HARDWARE.config, calibrated={"arm": "2026-11-01", "top": "2025-01-01"})
    checks = {check.name: check for check in preflight(Station(), replace(HARDWARE, config=config), TODAY)}
    assert checks["calibration of arm"].verdict == "ok"
    assert checks["calibration of top"].verdict == "note"
    assert "697 days old" in checks["calibration of top"].sentence
    assert "never calibrated" in checks["calibration of side"].sentence


def test_what_is_wrong_is_all_said_in_one_error() -> None:
    checks = (Check("a", "wrong", "is bad."), Check("b", "ok", "is good"), Check("c", "wrong", "is worse."))
    assert str(NotReadyError("so101", checks)) == "so101: not ready to move: a: is bad. c: is worse."


def test_a_device_that_cannot_be_opened_hides_no_other(tmp_path: Path) -> None:
    source = find_hardware("so101")
    fields = load_yaml(source)
    fields["robot"] = str((source.parent / fields["robot"]).resolve())
    fields["station"]["arm"]["port"] = str(tmp_path / "nowhere")
    fields["cameras"]["side"]["device"]["source"] = str(tmp_path / "no.mp4")
    path = tmp_path / "desk.yaml"
    path.write_text(yaml.safe_dump(fields))
    checks = {check.name: check for check in look_at_devices(load_hardware(str(path)), TODAY)}
    assert "no such port" in checks["arm"].sentence
    assert "RealSense" in checks["camera top"].sentence
    assert "no.mp4" in checks["camera side"].sentence
    assert checks["limits"].verdict == "ok"
