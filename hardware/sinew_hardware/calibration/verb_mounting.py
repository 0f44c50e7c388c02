"""`sinew calibrate mounting`: the arm goes to poses; where the camera is follows from what it sees."""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from rich.console import Console
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.protocols import Camera
from sinew_core.types import CameraFrame, FloatArray, ImageArray, JointState

from sinew_hardware.calibration.board_options import Target, find, target_of
from sinew_hardware.calibration.extrinsics import (
    ExtrinsicsResult,
    calibrate_fixed_camera,
    calibrate_wrist_camera,
)
from sinew_hardware.calibration.mover import Mover
from sinew_hardware.calibration.pictures import extrinsics_sheet
from sinew_hardware.calibration.pose_to_config import with_pose
from sinew_hardware.calibration.poses import hand_eye_poses
from sinew_hardware.calibration.sightings import Sighting
from sinew_hardware.calibration.verb_camera import camera_of, write_camera
from sinew_hardware.devices import Devices


def calibrate_camera_mounting(arguments: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    hardware, target = load_hardware(arguments.hardware), target_of(arguments)
    config = camera_of(hardware, arguments.camera)
    robot, model = hardware.robot, hardware.cameras[arguments.camera]
    on_wrist = model.link != robot.base_link
    board_link = robot.base_link if on_wrist else robot.tip_link
    X_MB = on_table(target, hardware) if on_wrist else in_gripper(target)
    rng = np.random.default_rng(arguments.seed)
    poses = hand_eye_poses(robot, model, target, X_MB, arguments.poses, rng, board_link=board_link)
    where = (
        "flat on the table, in the middle of the scene" if on_wrist else "between the jaws, facing the camera"
    )
    console.print(f"[bold]The arm will move, slowly, through {len(poses)} poses.[/] Put the board {where}.")
    console.input("Clear the table of everything else, keep the power switch at hand, and press Enter. ")
    with Devices.of(hardware) as devices:
        camera = devices.camera(arguments.camera)
        mover = Mover(devices.arm(), hardware)
        pictures, sightings = look_from(mover, camera, target, poses, console)
        mover.go_to(robot.home)
    lens = IntrinsicsConfig(model.fx, model.fy, model.cx, model.cy)  # drivers undistort
    if on_wrist:
        result = calibrate_wrist_camera(robot, model.link, sightings, lens)
    else:
        result = calibrate_fixed_camera(robot, sightings, lens)
    arguments.out.mkdir(parents=True, exist_ok=True)
    sheet = arguments.out / f"{arguments.camera}_mounting.png"
    cv2.imwrite(str(sheet), extrinsics_sheet(pictures, sightings, result, robot, lens)[..., ::-1])
    console.print(told(result) + f"; pictures: {sheet}")
    if arguments.dry:
        return 0
    changed = with_pose(config, result.X_LC, model.link)
    fields = {key: list(getattr(changed, key)) for key in ("position", "look_at", "up")}
    console.print(f"written: {write_camera(hardware, arguments.camera, fields)}")
    return 0


def look_from(
    mover: Mover, camera: Camera, target: Target, poses: FloatArray, console: Console
) -> tuple[list[ImageArray], list[Sighting]]:
    """Go to each pose (k, n) and take a picture there, at rest."""
    pictures: list[ImageArray] = []
    sightings: list[Sighting] = []
    for i, pose in enumerate(poses):
        joints = mover.go_to(pose)
        frame = _after(camera, joints)
        corners = find(target, frame.rgb)
        pictures.append(frame.rgb)
        sightings.append(Sighting(joints.position, corners))
        console.print(f"pose {i + 1} of {len(poses)}: {len(corners)} corners")
    return pictures, sightings


def _after(camera: Camera, joints: JointState) -> CameraFrame:
    """Return a frame that was taken when the arm was at rest already: its last one of the settling."""
    frame = camera.read()
    if joints.stamp - frame.stamp > 500_000_000:
        raise DeviceError(f"camera {camera.model.name}: its newest frame is older than half a second.")
    return frame


def on_table(target: Target, hardware: Hardware) -> FloatArray:
    """Return the guess `X_BM` (4, 4) of a board that lies flat, face up, amid the scene."""
    scene = hardware.config.scene
    middle = np.append(np.add(scene.lower, scene.upper) / 2, 0.0)
    turn = rpy_matrix(np.pi, 0.0, -np.pi / 2)
    return transform(middle - turn @ target.outline().mean(axis=0), turn)


def in_gripper(target: Target) -> FloatArray:
    """Return the guess of a board that the jaws hold by its lower edge, standing up from the fingers."""
    width, height = np.ptp(target.outline(), axis=0)[:2]
    held = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    return transform(np.array([-width / 2, 0.0, height]) - held @ target.outline()[0], held)


def told(result: ExtrinsicsResult) -> str:
    """Return a sentence on a result."""
    return (
        f"held-out pictures show the board within {result.held_out_mm:.1f} mm, {result.held_out_deg:.2f} deg "
        f"of where the arm puts it; standard error {result.std_mm:.1f} mm, {result.std_deg:.2f} deg; "
        f"{len(result.rejected)} pictures dropped"
    )
