"""What a learned policy sees: keypoints, images, or what a frozen network makes of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import CameraFrame, FloatArray, Observation
from sinew_perception.encoders.frozen_features import Config as FrozenConfig
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.squares import square
from torch import Tensor

from sinew_policies.agents.agent import Encoder
from sinew_policies.agents.encoders import Concatenate, Convolutional, Vector
from sinew_policies.learned.encoding import STATE, TIP, Columns, Encoding, KeypointEncoding, own


@dataclass(frozen=True, slots=True)
class SeeingConfig:
    """What a policy sees besides its own joints."""

    kind: Literal["keypoints", "images", "features"] = "keypoints"
    cameras: tuple[str, ...] = ()  # of images and features; none named: every camera of the station
    size: int = 64  # px, of the square that images are brought to
    frozen: FrozenConfig = field(default_factory=FrozenConfig)  # the network of features

    def __post_init__(self) -> None:
        """Check the size."""
        if self.size < 1:
            raise ValueError(f"size: expected at least 1 px, got {self.size}.")


class ImageEncoding:
    """The arm's own joints and tip as numbers (2 n + 6,), and each camera's image, for a trained network."""

    needs_frames = True

    def __init__(self, robot: Robot, cameras: Sequence[str], size: int) -> None:
        self._robot, self._edge = robot, size
        self.images: Mapping[str, tuple[int, int, int]] = dict.fromkeys(cameras, (size, size, 3))
        self.size = _own_size(robot)
        self.name = f"images of {' '.join(cameras)}"

    def complete(self, observation: Observation) -> bool:
        """Tell whether every camera has been seen."""
        return all(camera in observation.frames for camera in self.images)

    def encode(self, observation: Observation) -> Columns:
        """Return the numbers and the images; ValueError without one of them."""
        columns: Columns = {STATE: _own(self._robot, observation).astype(np.float32)}
        for camera in self.images:
            columns[camera] = square(_frame(observation, camera).rgb, self._edge)
        return columns


class FeatureEncoding:
    """The arm's own joints and tip, and what a frozen network makes of each image, all as numbers.

    The network runs once for each frame, whether it is acted on, enters replay or both; learning never
    runs it.
    """

    needs_frames = True

    def __init__(self, robot: Robot, cameras: Sequence[str], frozen: FrozenFeatures) -> None:
        self._robot, self._cameras, self._frozen = robot, tuple(cameras), frozen
        self._newest: dict[str, tuple[CameraFrame, npt.NDArray[np.float32]]] = {}  # with its features
        self.images: Mapping[str, tuple[int, int, int]] = {}
        self.size = _own_size(robot) + len(cameras) * frozen.features
        self.name = f"features of {' '.join(cameras)} by {frozen.tag}"

    def complete(self, observation: Observation) -> bool:
        """Tell whether every camera has been seen."""
        return all(camera in observation.frames for camera in self._cameras)

    def encode(self, observation: Observation) -> Columns:
        """Return the one column; ValueError without one of the images."""
        seen = [self._features(camera, _frame(observation, camera)) for camera in self._cameras]
        return {STATE: np.concatenate([_own(self._robot, observation), *seen]).astype(np.float32)}

    def _features(self, camera: str, frame: CameraFrame) -> npt.NDArray[np.float32]:
        known = self._newest.get(camera)
        if known is None or known[0] is not frame:
            known = self._newest[camera] = frame, self._frozen(frame.rgb[None])[0]
        return known[1]


def make_encoding(config: SeeingConfig, hardware: Hardware) -> Encoding:
    """Return the encoding that a configuration asks for; ConfigError for a camera that is not there."""
    robot = hardware.robot
    if config.kind == "keypoints":
        return KeypointEncoding(robot)
    there = sorted(hardware.cameras)
    cameras = config.cameras or tuple(there)
    for camera in cameras:
        if camera not in there:
            raise ConfigError(
                f"seeing: {hardware.name} has no camera '{camera}'.{did_you_mean(camera, there)} "
                f"It has {', '.join(there) or 'none'}."
            )
    if not cameras:
        raise ConfigError(f"seeing: {hardware.name} has no camera, so there are no {config.kind}.")
    if config.kind == "images":
        return ImageEncoding(robot, cameras, config.size)
    return FeatureEncoding(robot, cameras, FrozenFeatures(config.frozen))


def make_encoder(encoding: Encoding, mean: Tensor, std: Tensor, seed: int, noise: float = 0.0) -> Encoder:
    """Return the agent's encoder: numbers of mean and standard deviation (d,), and a network a camera.

    `noise` is that of the numbers in updates, in standard deviations.
    """
    numbers = Vector(STATE, mean, std, noise=noise)
    if not encoding.images:
        return numbers
    eyes = [
        Convolutional(camera, shape, seed + i) for i, (camera, shape) in enumerate(encoding.images.items())
    ]
    return Concatenate([numbers, *eyes])


def _own_size(robot: Robot) -> int:
    return 2 * len(robot.joint_names) + TIP


def _own(robot: Robot, observation: Observation) -> FloatArray:
    joints = observation.joints
    return own(robot, joints, robot.chain.pose(robot.tip_link, joints.position))


def _frame(observation: Observation, camera: str) -> CameraFrame:
    if camera not in observation.frames:
        raise ValueError(f"no frame of camera '{camera}' in the observation.")
    return observation.frames[camera]
