"""A simulated station for learning: keypoints from the simulator's truth, with noise, and no rendering.

Most of the time of a simulated episode goes into pictures. Where the policy sees keypoints only, they
are taken from the truth with the errors that cameras have; the trained policy is then measured, and
used, through the cameras.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.cameras import CameraConfig
from sinew_core.hardware import Hardware
from sinew_core.protocols import Arm, Camera, Station
from sinew_core.types import CameraFrame, CameraModel, FloatArray, JointState, Keypoint, Percept, Task

from sinew_sim.gym_observations import TrueWorld, true_world
from sinew_sim.scene import ObjectSpec, ObjectState

EYE = "truth"  # the camera that stands for looking at the truth
HELD_WITHIN = 0.025  # m, tip to object, at a gripper that is not open
HELD_ABOVE, HELD_BELOW = 0.1, 0.62  # aperture; jaws that are closer have nothing between them


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """How far keypoints are from the truth, standard deviations."""

    position: float = 0.0015  # m, of each object for a whole episode
    jitter: float = 0.0007  # m, anew at each look
    yaw: float = 0.03  # rad, for a whole episode
    extent: float = 0.001  # m, for a whole episode
    near: float = 0.05  # m, tip to object, within which the gripper hides some of it
    drift: float = 0.003  # m, by which a half-hidden object is off besides
    drift_looks: float = 10.0  # looks, after which that has mostly forgotten itself
    hidden: float = 0.01  # chance, at each look near the gripper, of being hidden altogether
    hidden_looks: float = 5.0  # looks for which that lasts, on average

    def __post_init__(self) -> None:
        """Check the ranges."""
        sizes = (self.position, self.jitter, self.yaw, self.extent, self.near, self.drift)
        if min(sizes) < 0 or not 0 <= self.hidden <= 1:
            raise ValueError("noise: expected sizes of at least 0 and a chance `hidden` of 0 to 1.")
        if self.drift_looks <= 0 or self.hidden_looks < 1:
            raise ValueError("noise: expected drift_looks above 0 and hidden_looks of at least 1.")


@dataclass(slots=True)
class _Sight:
    """How one object is seen in an episode."""

    shift: FloatArray  # (3,) m, off for all of it
    turn: float  # rad, likewise
    stretch: FloatArray  # (3,) m, likewise
    drift: FloatArray  # (3,) m, off by now where the gripper hides some of it
    hidden: int = 0  # looks for which it stays hidden
    last: FloatArray | None = None  # (3,) where it was seen last


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
    """The keypoints that cameras and a tracker would give, from the simulator.

    Beside the errors that an object has everywhere there are those of the gripper in front of it: the
    place that is made out drifts, and now and then the object is hidden, and stays where it was seen.
    """

    def __init__(self, hardware: Hardware, world: TrueWorld, noise: NoiseConfig, seed: int) -> None:
        self._robot, self._world, self._noise, self._seed = hardware.robot, world, noise, seed
        self._rng = np.random.default_rng(seed)
        self._sights: dict[str, _Sight] = {}

    def seed(self, seed: int) -> None:
        """Draw the next episodes' noise from here on."""
        self._rng = np.random.default_rng(seed)

    def reset(self, task: Task) -> None:
        """Draw the errors that an episode keeps."""
        n, rng = self._noise, self._rng
        self._sights = {
            item.spec.name: _Sight(
                rng.normal(0, n.position, 3),
                rng.normal(0, n.yaw),
                rng.normal(0, n.extent, 3),
                np.zeros(3),
            )
            for item in self._world.scene.objects
        }

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return every object of the scene where it is now."""
        state = self._world.state()
        closed = HELD_ABOVE < self._robot.aperture(joints.position) < HELD_BELOW
        keypoints = {}
        for item in self._world.scene.objects:
            there = state.objects[item.spec.name]
            away = float(np.linalg.norm(there.position - state.tip))
            held = closed and away < HELD_WITHIN
            keypoints[item.spec.name.replace(" ", "_")] = self._keypoint(item.spec, there, away, held)
        return Percept(joints.stamp, keypoints)

    def _keypoint(self, spec: ObjectSpec, there: ObjectState, away: float, held: bool) -> Keypoint:
        sight = self._sights[spec.name]
        near = away < self._noise.near
        position = self._hide(sight, self._made_out(sight, there, near=near), may=near and not held)
        w, x, y, z = there.quaternion
        yaw = float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))) + sight.turn
        yaw = (yaw + np.pi / 2) % np.pi - np.pi / 2
        round_ = spec.shape != "cube"
        return Keypoint(
            position,
            None,
            1.0,
            None if round_ else yaw,
            np.array(spec.size) + sight.stretch,
            sight.hidden == 0,
            held,
        )

    def _made_out(self, sight: _Sight, there: ObjectState, *, near: bool) -> FloatArray:
        """Return where an object is made out (3,), were it not hidden."""
        n, rng = self._noise, self._rng
        keep = float(np.exp(-1 / n.drift_looks))
        sight.drift = keep * sight.drift + rng.normal(0, n.drift * np.sqrt(1 - keep**2), 3)
        position = there.position + sight.shift + rng.normal(0, n.jitter, 3)
        return position + sight.drift if near else position

    def _hide(self, sight: _Sight, position: FloatArray, *, may: bool) -> FloatArray:
        """Return where an object is held to be (3,): in sight, or where it was before it was hidden."""
        n, rng = self._noise, self._rng
        sight.hidden = max(0, sight.hidden - 1) if may else 0
        if may and sight.hidden == 0 and sight.last is not None and rng.random() < n.hidden:
            sight.hidden = int(rng.geometric(1 / n.hidden_looks))
        if sight.hidden == 0:
            sight.last = position
        assert sight.last is not None
        return sight.last.copy()


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
