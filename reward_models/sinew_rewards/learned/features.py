"""Observation to named features for learned rewards: geometry of tip, object and target, or pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, Keypoint, Observation, Task
from sinew_perception.encoders.frozen_features import Config as FrozenConfig
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import shipped_config
from sinew_perception.encoders.squares import square

from sinew_rewards.goal import LastSeen, point_of, target_point, tip_position

NEAR = (0.02, 0.08)  # m, at which a distance is squashed besides: exp(-d / scale)


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """What a learned reward looks at."""

    kind: Literal["keypoints", "pictures"] = "keypoints"
    cameras: tuple[str, ...] = ()  # of pictures; none named: every camera of the station
    frozen: FrozenConfig | None = None  # the network that embeds pictures; none: Sinew's goal encoder
    without: tuple[str, ...] = ()  # features left out, by name: an ablation


class FeatureMap(Protocol):
    """Turns observations into features (d,), each with a name."""

    names: tuple[str, ...]  # (d)
    tag: str  # of what the numbers depend on besides: another tag, another meaning
    needs_frames: bool  # whether camera frames are looked at

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def of(self, observation: Observation) -> FloatArray | None:
        """Return the features (d,); None where something that they need has not been seen yet."""


class KeypointFeatures:
    """Geometry of tip, object and target; what is hidden is where it was last seen, and said to be hidden.

    In m, base frame: offsets of the tip from the object and of the object from its target, distances,
    and each distance squashed near zero; height of object and tip; aperture; whether the object is seen,
    near the closed gripper, and how fast the joints move (rad/s, root mean square).
    """

    tag = "keypoints_1"
    needs_frames = False
    names = (
        *("tip_object_x", "tip_object_y", "tip_object_z", "tip_object"),
        *("object_target_x", "object_target_y", "object_target_z", "object_target"),
        *("tip_target", "tip_height", "object_height", "aperture", "seen", "holding", "speed"),
        *(f"{name}_near_{round(1000 * scale)}" for name in ("tip_object", "object_target") for scale in NEAR),
    )

    def __init__(self, robot: Robot) -> None:
        self._robot, self._known = robot, LastSeen()

    def reset(self, task: Task) -> None:
        """Forget what was seen."""
        self._known.reset()

    def of(self, observation: Observation) -> FloatArray | None:
        """Return the features (19,); None before affordance, object and target are known."""
        known, affordance = self._known.update(observation.keypoints), observation.affordance
        if affordance is None:
            return None
        target = target_point(affordance, known)
        moves = affordance.moves if affordance.moves is not None else affordance.grasp
        tip = tip_position(self._robot, observation)
        item = tip if moves is None else point_of(moves, known)
        if target is None or item is None:
            return None
        seen = not isinstance(moves, str) or _is_seen(observation.keypoints, moves)
        return self._geometry(observation, tip, item, target, seen=seen)

    def _geometry(
        self, observation: Observation, tip: FloatArray, item: FloatArray, target: FloatArray, *, seen: bool
    ) -> FloatArray:
        aperture = self._robot.aperture(observation.joints.position)
        reach, carry = tip - item, item - target
        apart, left = float(np.linalg.norm(reach)), float(np.linalg.norm(carry[:2]))
        holding = float(aperture < 0.62 and apart < 0.04)
        speed = float(np.sqrt(np.mean(np.square(observation.joints.velocity))))
        near = [np.exp(-distance / scale) for distance in (apart, left) for scale in NEAR]
        return np.array(
            [
                *(*reach, apart, *carry, left, float(np.linalg.norm(tip - target))),
                *(tip[2], item[2], aperture, float(seen), holding, speed, *near),
            ]
        )


class PictureFeatures:
    """What a frozen network makes of the middle square of each camera's picture, one after the other."""

    needs_frames = True

    def __init__(self, cameras: Sequence[str], network: FrozenFeatures) -> None:
        self._cameras, self._network = tuple(cameras), network
        self.names = tuple(f"{camera}_{i}" for camera in cameras for i in range(network.features))
        self.tag = f"pictures_2 {network.tag}"

    def reset(self, task: Task) -> None:
        """Nothing to forget."""

    def of(self, observation: Observation) -> FloatArray | None:
        """Return the features (cameras * f,); None where a camera's frame is missing."""
        if any(camera not in observation.frames for camera in self._cameras):
            return None
        edge = self._network.size
        pictures = np.stack([square(observation.frames[camera].rgb, edge) for camera in self._cameras])
        return self._network(pictures).ravel().astype(np.float64)


class Without:
    """Features with some of them left out."""

    def __init__(self, features: FeatureMap, without: Sequence[str]) -> None:
        for name in without:
            if name not in features.names:
                raise ConfigError(
                    f"features without '{name}': no such one.{did_you_mean(name, features.names)}"
                )
        self._features = features
        self._kept = [i for i, name in enumerate(features.names) if name not in without]
        self.names = tuple(features.names[i] for i in self._kept)
        self.tag, self.needs_frames = features.tag, features.needs_frames

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._features.reset(task)

    def of(self, observation: Observation) -> FloatArray | None:
        """Return the features that are kept."""
        found = self._features.of(observation)
        return None if found is None else found[self._kept]


def make_features(config: FeatureConfig, hardware: Hardware) -> FeatureMap:
    """Build what a learned reward looks at; ConfigError for a camera or feature that is not there."""
    features: FeatureMap = (
        KeypointFeatures(hardware.robot)
        if config.kind == "keypoints"
        else PictureFeatures(_cameras(config, hardware), picture_network(config))
    )
    return Without(features, config.without) if config.without else features


def picture_network(config: FeatureConfig) -> FrozenFeatures:
    """Return the network that embeds pictures; ConfigError where its file is missing or another one's."""
    return FrozenFeatures(config.frozen or shipped_config())


def _cameras(config: FeatureConfig, hardware: Hardware) -> tuple[str, ...]:
    for name in config.cameras:
        if name not in hardware.cameras:
            raise ConfigError(
                f"features of camera '{name}': {hardware.path} has none."
                f"{did_you_mean(name, hardware.cameras)}"
            )
    return config.cameras or tuple(hardware.cameras)


def _is_seen(keypoints: Mapping[str, Keypoint], name: str) -> bool:
    return name in keypoints and keypoints[name].visible
