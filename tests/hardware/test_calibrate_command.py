"""`sinew calibrate`: what each verb asks, measures and writes, and how it refuses."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware, find_hardware, load_hardware
from sinew_core.types import CameraFrame, FloatArray, JointCommand, JointState
from sinew_hardware.calibration.board import BoardConfig
from sinew_hardware.calibration.board_options import find
from sinew_hardware.calibration.command import main
from sinew_hardware.calibration.latency import estimate_latency
from sinew_hardware.calibration.mover import Mover
from sinew_hardware.calibration.picture_components import main_component
from sinew_hardware.calibration.sweep import chirp
from sinew_hardware.calibration.verb_camera import gather
from sinew_hardware.calibration.verb_mounting import look_from
from sinew_hardware.emulators.calibration_scene import wrist_scene

HARDWARE = load_hardware("so101_emulated")
HOME = HARDWARE.robot.home


@pytest.fixture
def desk_file(tmp_path: Path) -> Iterator[Path]:
    source = find_hardware("so101_emulated")
    shutil.copytree(source.parent / "robots", tmp_path / "robots")
    yield Path(shutil.copy(source, tmp_path / "desk.yaml"))


@dataclass
class Arm:
    """An arm that is at once where it is told to be, or never gets there."""

    position: FloatArray = field(default_factory=HOME.copy)
    stuck: bool = False
    stops: int = 0

    def read(self) -> JointState:
        return JointState(time.time_ns(), self.position.copy(), np.zeros(6))

    def write(self, command: JointCommand) -> None:
        if not self.stuck:
            self.position = command.position.copy()

    def stop(self) -> None:
        self.stops += 1

    def close(self) -> None:
        pass


def quick(hardware: Hardware = HARDWARE) -> Hardware:
    return hardware.with_control_period(0.01)


def test_a_calibration_of_servos_is_written_beside_the_hardware_file_and_used(desk_file: Path) -> None:
    assert main(["servos", "--hardware", str(desk_file)]) == 0
    hardware = load_hardware(str(desk_file))
    servos = hardware.config.station["arm"]["servos"]
    assert servos["gripper"]["torque_limit"] == 0.3
    assert all("homing_offset" in servo for servo in servos.values())
    assert "arm" in hardware.config.calibrated


def test_a_dry_calibration_writes_nothing(desk_file: Path) -> None:
    assert main(["servos", "--hardware", str(desk_file), "--dry"]) == 0
    assert not (desk_file.parent / "calibration").exists()


def test_the_calibration_of_other_servos_keeps_the_station_closed(desk_file: Path) -> None:
    # An emulator starts with servos that were never calibrated: offset 0 in each of their memories.
    path = desk_file.parent / "calibration" / desk_file.name
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({"station": {"arm": {"servos": {"wrist_flex": {"homing_offset": 77}}}}}))
    with pytest.raises(DeviceError, match=r"servo 4 \(wrist_flex\) has the homing offset 0.*says 77"):
        load_hardware(str(desk_file)).open_station("reach")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["servos", "--hardware", "sim_mujoco"], "real or emulated devices"),
        (["camera", "--hardware", "so101_emulated", "--camera", "topp"], "Did you mean 'top'"),
        (["camera", "--hardware", "so101_emulated", "--camera", "top", "--from-device"], "for RealSense"),
        (["camera", "--hardware", "so101_emulated", "--camera", "top", "--tag", "3"], "a lens wants a board"),
        (["latency", "--hardware", "so101_emulated", "--camera", "top", "--joint", "elbow"], "elbow_flex"),
        (["board", "board.pdf", "--squares", "2", "5"], "at least 3 columns"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        main(arguments)


def test_a_board_can_be_printed(tmp_path: Path) -> None:
    assert main(["board", str(tmp_path / "board.png"), "--square", "25"]) == 0
    picture = cv2.imread(str(tmp_path / "board.png"))[..., ::-1]
    assert len(find(BoardConfig(square=0.025, marker=0.022 * 25 / 30), picture)) == 24


def test_views_are_taken_where_the_board_is_still_and_somewhere_new() -> None:
    scene = wrist_scene(0, (320, 240))
    assert isinstance(scene.board, BoardConfig)
    shown = scene.pictures(scene.poses(4))
    frames = iter([shown[0]] * 5 + [shown[1]] * 3 + [shown[0]] * 3 + [shown[2], shown[3], shown[3]])
    said: list[str] = []
    pictures, views = gather(lambda: next(frames), scene.board, 3, said.append)
    assert [any(np.array_equal(p, s) for s in (shown[0], shown[1], shown[3])) for p in pictures] == [True] * 3
    assert len(views) == 3
    assert any("3 of 3" in words for words in said)


def test_the_mover_goes_slowly_and_comes_to_rest() -> None:
    arm, hardware = Arm(), quick()
    goal = HOME + np.array([0.2, 0.1, -0.1, 0.0, 0.1, 0.0])
    speeds: list[float] = []
    before = HOME.copy()

    class Watched(Arm):
        def write(self, command: JointCommand) -> None:
            nonlocal before
            speeds.append(float((np.abs(command.position - before) / 0.01 / hardware.robot.velocity).max()))
            before = command.position.copy()
            super().write(command)

    arm = Watched()
    joints = Mover(arm, hardware).go_to(goal)
    np.testing.assert_allclose(joints.position, goal, atol=1e-3)
    assert max(speeds) < 0.5


def test_an_arm_that_does_not_get_there_is_told_and_the_joint_named() -> None:
    with pytest.raises(DeviceError, match="shoulder_pan is off by 0.30"):
        Mover(Arm(stuck=True), quick()).go_to(HOME + np.array([0.3, 0, 0, 0, 0, 0]))


def test_an_interrupt_leaves_the_arm_stopped() -> None:
    arm = Arm()

    def interrupt(_: JointState) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Mover(arm, quick()).follow(np.tile(HOME, (5, 1)), interrupt)
    assert arm.stops == 1


def test_pictures_of_poses_are_taken_at_rest_with_the_joints_that_belong_to_them() -> None:
    scene = wrist_scene(1, (320, 240))
    hardware, arm = quick(), Arm()

    class Eye:
        model: Any = scene.camera

        def read(self) -> CameraFrame:
            return CameraFrame(time.time_ns(), scene.pictures(arm.position[None])[0])

        def close(self) -> None:
            pass

    poses = HOME + np.array([[0.0, 0, 0, 0, 0, 0], [0.05, 0, 0, 0, 0, 0]])
    console: Any = type("Quiet", (), {"print": lambda self, words: None})()
    pictures, sightings = look_from(Mover(arm, hardware), Eye(), scene.board, poses, console)
    assert len(pictures) == 2
    np.testing.assert_allclose([s.position for s in sightings], poses, atol=1e-3)


def test_the_latency_shows_in_pictures_of_an_arm_that_sways() -> None:
    times, late = np.arange(0.0, 8.0, 0.05), 0.042
    truth = chirp(np.arange(0.0, 8.0, 0.001), 0.25)
    joint = np.interp(times, np.arange(0.0, 8.0, 0.001), truth)
    rng = np.random.default_rng(0)
    pictures = []
    for angle in joint:
        picture = np.full((120, 160, 3), 200, np.uint8)
        cv2.rectangle(picture, (round(70 + 90 * angle), 30), (round(95 + 90 * angle), 110), (60, 60, 60), -1)
        pictures.append(cv2.add(picture, rng.integers(0, 6, picture.shape, dtype=np.uint8)))
    stamps = np.round(times * 1e9).astype(np.int64)
    found = estimate_latency(stamps, joint, stamps + round(late * 1e9), main_component(pictures))
    assert found.latency == pytest.approx(late, abs=0.003)
