"""A simulated station for learning: keypoints from the simulator's truth, with noise, and no rendering.

Most of the time of a simulated episode goes into pictures. Where the policy sees keypoints only, they
are taken from the truth with the errors that cameras have; the trained policy is then measured, and
used, through the cameras.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.hardware import CameraConfig, Hardware
from sinew_core.protocols import Arm, Camera, Station
from sinew_core.types import CameraFrame, CameraModel, FloatArray, JointState, Keypoint, Percept, Task
from sinew_sim.gym_observations import TrueWorld, true_world
from sinew_sim.scene import ObjectSpec, ObjectState

EYE = "truth"  # the camera that stands for looking at the truth
HELD_WITHIN = 0.025  # m, tip to object, at a gripper that is not open
HELD_BELOW = 0.62  # aperture


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """How far keypoints are from the truth, standard deviations."""

    position: float = 0.0015  # m, of each object for a whole episode
    jitter: float = 0.0007  # m, anew at each look
    yaw: float = 0.03  # rad, for a whole episode
    extent: float = 0.001  # m, for a whole episode


class BlindCamera:
    """Delivers a frame of one black pixel: it says when to look, and shows nothing."""

    def __init__(self, arm: Arm, model: CameraModel) -> None:
        self._arm, self.model = arm, model

    def read(self) -> CameraFrame:
        """Return an empty frame with the stamp of now."""
        return CameraFrame(self._arm.read().stamp, np.zeros((1, 1, 3), np.uint8))

    def close(self) -> None:
        """Nothing to release."""


class BlindStation:
    """A simulated station whose one camera shows nothing."""

    def __init__(self, station: Station, model: CameraModel) -> None:
        self._station = station
        self.arm, self.world = station.arm, station.world
        self.cameras: Mapping[str, Camera] = {EYE: BlindCamera(station.arm, model)}

    def close(self) -> None:
        """Release the simulator."""
        self._station.close()


class TrueKeypoints:
    """The keypoints that a camera would give, from the simulator; nothing is ever hidden."""

    def __init__(self, hardware: Hardware, world: TrueWorld, noise: NoiseConfig, seed: int) -> None:
        self._robot, self._world, self._noise, self._seed = hardware.robot, world, noise, seed
        self._rng = np.random.default_rng(seed)
        self._shift: dict[str, tuple[FloatArray, float, FloatArray]] = {}  # position, yaw, extent

    def seed(self, seed: int) -> None:
        """Draw the next episodes' noise from here on."""
        self._rng = np.random.default_rng(seed)

    def reset(self, task: Task) -> None:
        """Draw the errors that an episode keeps."""
        n, rng = self._noise, self._rng
        self._shift = {
            item.spec.name: (rng.normal(0, n.position, 3), rng.normal(0, n.yaw), rng.normal(0, n.extent, 3))
            for item in self._world.scene.objects
        }

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return every object of the scene where it is now."""
        state = self._world.state()
        closed = self._robot.aperture(joints.position) < HELD_BELOW
        keypoints = {}
        for item in self._world.scene.objects:
            there = state.objects[item.spec.name]
            held = closed and float(np.linalg.norm(there.position - state.tip)) < HELD_WITHIN
            keypoints[item.spec.name.replace(" ", "_")] = self._keypoint(item.spec, there, held)
        return Percept(joints.stamp, keypoints)

    def _keypoint(self, spec: ObjectSpec, there: ObjectState, held: bool) -> Keypoint:
        shift, turn, stretch = self._shift[spec.name]
        position = there.position + shift + self._rng.normal(0, self._noise.jitter, 3)
        w, x, y, z = there.quaternion
        yaw = float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))) + turn
        yaw = (yaw + np.pi / 2) % np.pi - np.pi / 2
        round_ = spec.shape != "cube"
        return Keypoint(
            position, None, 1.0, None if round_ else yaw, np.array(spec.size) + stretch, True, held
        )


def open_blind(
    hardware: Hardware, task: str, noise: NoiseConfig, seed: int
) -> tuple[Hardware, BlindStation, TrueKeypoints]:
    """Open a simulated station in lockstep that sees by the truth; the caller closes it."""
    eye = CameraConfig(16, 16, 40.0, (0.3, 0.0, 0.5), (0.2, 0.0, 0.0), (1.0, 0.0, 0.0), depth=False)
    config = replace(hardware.config, cameras={EYE: eye}, pace="lockstep")
    model = eye.model(EYE, hardware.robot.base_link)
    blind = replace(hardware, config=config, cameras={EYE: model})
    station = blind.open_station(task)
    return blind, BlindStation(station, model), TrueKeypoints(blind, true_world(station), noise, seed)
