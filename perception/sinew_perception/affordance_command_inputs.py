"""What `sinew affordance` looks at: image files with a hardware file's calibration, or a simulated scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.models import make_perception
from sinew_core.types import (
    CameraFrame,
    CameraModel,
    DepthArray,
    ImageArray,
    JointState,
    Keypoint,
    Observation,
    Task,
)

from sinew_perception.geometry import meet_height, posed_camera

TOP, SIDE = "top", "side"


@dataclass(frozen=True, slots=True)
class Files:
    """Images of one moment, the arm being at home."""

    top: Path
    depth: Path | None = None
    side: Path | None = None


def observe_files(hardware: Hardware, files: Files, sentence: str) -> Observation:
    """Return the files as an observation; raises ConfigError for one that is missing, broken or misfits.

    Without depth, what is coloured is taken to lie flat on the table, as an object of no known shape.
    """
    model = _camera(hardware, TOP)
    depth = None if files.depth is None else _read_depth(files.depth, model)
    frames = {TOP: CameraFrame(0, _read_image(files.top, model), depth)}
    if files.side is not None:
        frames[SIDE] = CameraFrame(0, _read_image(files.side, _camera(hardware, SIDE)))
    home = hardware.robot.home
    joints = JointState(0, home, np.zeros(len(home)))
    seen = frames[TOP] if depth is not None else replace(frames[TOP], depth=_table(hardware, joints))
    asked, perception = Task("", sentence), make_perception(hardware, "")
    perception.reset(asked)
    keypoints = perception.process({TOP: seen}, joints).keypoints
    if depth is None:
        keypoints = {_shapeless(name): keypoint for name, keypoint in keypoints.items()}
    return Observation(0, joints, frames, keypoints, None, {}, asked)


def observe_scene(hardware: Hardware, task: str, seed: int, scene: str, sentence: str) -> Observation:
    """Return the first observation of a simulated episode; an empty sentence is the task's own."""
    station = hardware.open_station(task)
    try:
        if station.world is None:
            raise ConfigError(
                f"hardware '{hardware.name}' is no simulation; give an IMAGE instead of --task."
            )
        asked = station.world.reset(seed, scene)
        perception = make_perception(hardware, task)
        perception.reset(asked)
        joints = station.arm.read()
        cameras = (name for name, camera in hardware.config.cameras.items() if camera.every)
        frames = {name: station.cameras[name].read() for name in cameras}
        keypoints: dict[str, Keypoint] = dict(perception.process(frames, joints).keypoints)
        asked = replace(asked, instruction=sentence or asked.instruction)
        return Observation(joints.stamp, joints, frames, keypoints, None, {}, asked)
    finally:
        station.close()


def _camera(hardware: Hardware, name: str) -> CameraModel:
    if name not in hardware.cameras:
        raise ConfigError(f"{hardware.path}: cameras: there is no camera '{name}'.")
    return hardware.cameras[name]


def _read(path: Path, how: int) -> ImageArray:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such image.")
    image = cv2.imdecode(np.fromfile(path, np.uint8), how) if path.stat().st_size else None
    if image is None:
        raise ConfigError(f"{path}: cannot be read as an image; expected PNG or JPEG.")
    return np.asarray(image)


def _read_image(path: Path, model: CameraModel) -> ImageArray:
    image = _read(path, cv2.IMREAD_COLOR)
    _check_size(path, image, model)
    return np.ascontiguousarray(image[:, :, ::-1])


def _read_depth(path: Path, model: CameraModel) -> DepthArray:
    image = _read(path, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ConfigError(
            f"{path}: expected depth as a 16-bit grey PNG in mm, got {image.dtype} {image.shape}."
        )
    _check_size(path, image, model)
    return (image / 1000).astype(np.float32)


def _check_size(path: Path, image: ImageArray, model: CameraModel) -> None:
    if image.shape[:2] != (model.height, model.width):
        raise ConfigError(
            f"{path}: got {image.shape[1]}x{image.shape[0]} px, but the camera '{model.name}' delivers "
            f"{model.width}x{model.height}; give the --hardware that took the image."
        )


def _table(hardware: Hardware, joints: JointState) -> DepthArray:
    """Return the depth of a bare table, (h, w) m."""
    camera = posed_camera(hardware, TOP, joints)
    columns, rows = np.meshgrid(np.arange(camera.model.width), np.arange(camera.model.height))
    points = meet_height(camera, np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64), 0.0)
    depth = (points - camera.X_BC[:3, 3]) @ camera.X_BC[:3, 2]
    return np.nan_to_num(depth).reshape(rows.shape).astype(np.float32)


def _shapeless(name: str) -> str:
    """Return a keypoint's name without its shape, `red_object_2` for `red_pad_2`."""
    colour, _, number = name.partition("_")
    return "_".join([colour, "object", *number.split("_")[1:]])
