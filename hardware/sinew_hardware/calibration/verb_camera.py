"""`sinew calibrate camera`: the board is shown to the camera from all sides, and its lens follows."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from sinew_core.calibration_file import write_calibration
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import ImageArray

from sinew_hardware.calibration.board import BoardConfig, Corners
from sinew_hardware.calibration.board_hints import why_unseen
from sinew_hardware.calibration.board_options import find, target_of
from sinew_hardware.calibration.coverage import corner_counts, coverage, where_empty
from sinew_hardware.calibration.intrinsics import calibrate_intrinsics
from sinew_hardware.calibration.pictures import annotated, intrinsics_sheet
from sinew_hardware.calibration.pose_to_config import with_lens
from sinew_hardware.devices import Devices

STILL, MOVED = 1.0, 0.06  # px between two frames; share of the width since the last view
GIVE_UP = 300.0  # s without a new view
SAID = 2.0  # s between hints


def calibrate_camera(arguments: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    hardware = load_hardware(arguments.hardware)
    config = camera_of(hardware, arguments.camera)
    if arguments.from_device:
        lens = _stored_lens(config, arguments.camera)
        console.print(f"the device has stored: {lens}")
    else:
        lens = _from_views(arguments, hardware, config, console)
    if arguments.dry:
        return 0
    changed = with_lens(config, lens)
    fields = {"intrinsics": to_mapping(lens), "fovy": changed.fovy}
    console.print(f"written: {write_camera(hardware, arguments.camera, fields)}")
    return 0


def camera_of(hardware: Hardware, name: str) -> CameraConfig:
    """Return a camera's configuration; an unknown name is answered with the nearest one."""
    if name not in hardware.config.cameras:
        raise ConfigError(
            f"{hardware.path}: no camera '{name}'.{did_you_mean(name, hardware.config.cameras)}"
        )
    return hardware.config.cameras[name]


def write_camera(hardware: Hardware, name: str, fields: dict[str, Any]) -> Path:
    """Lay fields over a camera of the hardware file, with the day; return the calibration's file."""
    day = datetime.now(UTC).date().isoformat()
    return write_calibration(hardware.path, {"cameras": {name: fields}, "calibrated": {name: day}})


def _stored_lens(config: CameraConfig, name: str) -> IntrinsicsConfig:
    from sinew_hardware.cameras.realsense import RealsenseConfig, device_intrinsics

    fields = {key: value for key, value in (config.device or {}).items() if key != "plugin"}
    if "realsense" not in str((config.device or {}).get("plugin", "")):
        raise ConfigError(f"camera {name}: --from-device is for RealSense cameras; show it a board instead.")
    realsense = from_mapping(RealsenseConfig, fields, f"camera {name}: device")
    return device_intrinsics(realsense, config.width, config.height)


def _raw(config: CameraConfig) -> CameraConfig:
    """Return a camera without its old lens, and whose driver does not mind another one."""
    device = dict(config.device or {})
    if "realsense" in str(device.get("plugin", "")):
        device["tolerance"] = float("inf")
    return replace(config, intrinsics=None, device=device or None)


def _from_views(
    arguments: argparse.Namespace, hardware: Hardware, config: CameraConfig, console: Console
) -> IntrinsicsConfig:
    target = target_of(arguments)
    if not isinstance(target, BoardConfig):
        raise ConfigError("a lens wants a board; a tag has too few corners.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    live = arguments.out / f"{arguments.camera}_live.jpg"
    console.print(
        f"Show the board to '{arguments.camera}': near, far, tilted, into every corner. Seen at: {live}"
    )
    with Devices.of(hardware) as devices:
        camera = devices.camera(arguments.camera, _raw(config))
        pictures, views = gather(lambda: camera.read().rgb, target, arguments.views, console.print, live)
    result = calibrate_intrinsics(views, (config.width, config.height))
    sheet = arguments.out / f"{arguments.camera}_lens.png"
    cv2.imwrite(str(sheet), intrinsics_sheet(pictures, views, result)[..., ::-1])
    console.print(
        f"{result.reprojection_px:.3f} px on views that were held out, {100 * result.coverage:.0f} % of the "
        f"picture covered, {len(result.rejected)} views dropped; pictures: {sheet}"
    )
    return result.intrinsics


def gather(
    grab: Callable[[], ImageArray],
    target: BoardConfig,
    count: int,
    tell: Callable[[str], object],
    live: Path | None = None,
) -> tuple[list[ImageArray], list[Corners]]:
    """Take so many views in which the board is still and somewhere new; tell what to do meanwhile."""
    pictures: list[ImageArray] = []
    views: list[Corners] = []
    before: Corners | None = None
    said, began = 0.0, time.monotonic()
    while len(views) < count:
        rgb = grab()
        corners = find(target, rgb)
        size = (rgb.shape[1], rgb.shape[0])
        if before is not None and _is_new(corners, before, views, size[0]):
            pictures.append(rgb)
            views.append(corners)
            began = time.monotonic()
            share = 100 * coverage(corner_counts(views, size))
            tell(f"{len(views)} of {count}; {share:.0f} % of the picture covered")
        elif time.monotonic() - said > SAID:
            said = time.monotonic()
            tell(_hint(target, rgb, corners, views, size))
            if live is not None:
                cv2.imwrite(str(live), annotated(rgb, corners)[..., ::-1])
        if time.monotonic() - began > GIVE_UP:
            raise ConfigError(
                f"no new view of the board for {GIVE_UP:.0f} s; {len(views)} of {count} were taken."
            )
        before = corners
        time.sleep(0.03)
    return pictures, views


def _is_new(corners: Corners, before: Corners, views: list[Corners], width: int) -> bool:
    if len(corners) < 8 or not np.array_equal(corners.ids, before.ids):
        return False
    if np.abs(corners.pixels - before.pixels).max() > STILL:
        return False
    middle = corners.pixels.mean(axis=0)
    spread = corners.pixels.std(axis=0)
    return all(
        np.linalg.norm(view.pixels.mean(axis=0) - middle) > MOVED * width
        or np.abs(view.pixels.std(axis=0) - spread).max() > MOVED * width / 4
        for view in views
    )


def _hint(
    target: BoardConfig, rgb: ImageArray, corners: Corners, views: list[Corners], size: tuple[int, int]
) -> str:
    if len(corners) < 8:
        return why_unseen(target, rgb)
    return f"hold it still, somewhere new; least was seen at the {where_empty(corner_counts(views, size))}"
