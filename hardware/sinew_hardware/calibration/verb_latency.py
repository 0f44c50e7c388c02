"""`sinew calibrate latency`: one joint sways, ever faster, and the pictures tell how late they are."""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Arm, Camera
from sinew_core.types import CameraFrame, JointState

from sinew_hardware.calibration.board_options import find, target_of
from sinew_hardware.calibration.latency import LatencyResult, estimate_latency
from sinew_hardware.calibration.mover import Mover
from sinew_hardware.calibration.picture_components import main_component
from sinew_hardware.calibration.picture_motion import marker_motion, picture_motion
from sinew_hardware.calibration.sweep import chirp
from sinew_hardware.calibration.verb_camera import camera_of, write_camera
from sinew_hardware.devices import Devices


def calibrate_latency(arguments: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    hardware = load_hardware(arguments.hardware)
    config = camera_of(hardware, arguments.camera)
    joint = _joint(hardware, arguments.joint)
    name = hardware.robot.joint_names[joint]
    console.print(f"[bold]The arm will go home, and {name} sway for {arguments.seconds:g} s.[/]")
    if hardware.config.station.get("emulator") is None:
        console.input("Clear its way and press Enter. ")
    target = None if arguments.tag is None else target_of(arguments)
    with Devices.of(hardware) as devices:
        camera, arm = devices.camera(arguments.camera), devices.arm()
        readings, frames = sway(arm, camera, hardware, joint, arguments.seconds, arguments.amplitude)
    on_wrist = hardware.cameras[arguments.camera].link != hardware.robot.base_link
    pictures, seen = [frame.rgb for frame in frames], np.arange(len(frames))
    if target is not None:
        seen, motion = marker_motion([find(target, picture) for picture in pictures])
    else:
        motion = picture_motion(pictures) if on_wrist else main_component(pictures)
    result = estimate_latency(
        np.array([reading.stamp for reading in readings]),
        np.array([reading.position[joint] for reading in readings]),
        np.array([frames[i].stamp for i in seen]),
        motion,
    )
    console.print(told(result))
    device = dict(config.device or {})
    if arguments.dry or "plugin" not in device:
        return 0
    device["latency"] = max(0.0, float(device.get("latency", 0.0)) + result.latency)
    console.print(f"written: {write_camera(hardware, arguments.camera, {'device': device})}")
    return 0


def sway(
    arm: Arm, camera: Camera, hardware: Hardware, joint: int, seconds: float, amplitude: float
) -> tuple[list[JointState], list[CameraFrame]]:
    """Let one joint sway about home; return its readings and every frame that came meanwhile."""
    mover = Mover(arm, hardware)
    mover.go_to(hardware.robot.home)
    times = np.arange(0.0, seconds, hardware.config.control_period)
    rows = np.tile(hardware.robot.home, (len(times), 1))
    rows[:, joint] += chirp(times, amplitude)
    readings: list[JointState] = []
    frames: list[CameraFrame] = []

    def look(joints: JointState) -> None:
        readings.append(joints)
        frame = camera.read()
        if not frames or frame.stamp > frames[-1].stamp:
            frames.append(frame)

    mover.follow(rows, look)
    return readings, frames


def _joint(hardware: Hardware, name: str) -> int:
    names = hardware.robot.joint_names
    if name and name not in names:
        raise ConfigError(f"no joint '{name}'.{did_you_mean(name, names)}")
    return names.index(name) if name else 0


def told(result: LatencyResult) -> str:
    """Return a sentence on a result."""
    return (
        f"frames are {1000 * result.latency:.1f} ms late (standard error {1000 * result.std:.1f} ms, "
        f"correlation {result.correlation:.3f})"
    )
