"""The observation modes of the gymnasium environment: true state, images, or what perception saw.

Objects have slots, decided by the instruction and not by the simulator: first what is to be moved (or
reached), then the target, then, in the state mode only, up to three others in the order of their
names. An empty slot is all zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from sinew_core.hardware import Hardware
from sinew_core.models import make_perception
from sinew_core.protocols import Station, World
from sinew_core.types import CameraFrame, JointState, Keypoint, Percept, Task

from sinew_sim.scene import Scene, SceneState

OTHERS = 3
STATE_SLOT = 8  # present, position (3), quaternion (4)
KEYPOINT_SLOT = 10  # confidence, position (3), cosine and sine of twice the yaw, extent (3), yaw known

Float32 = npt.NDArray[np.float32]
Value = Float32 | dict[str, Any]


class TrueWorld(World, Protocol):
    """A simulator that tells the truth: what every simulated station's world does."""

    @property
    def scene(self) -> Scene:
        """What was laid out."""

    def state(self) -> SceneState:
        """Return where everything is."""


def true_world(station: Station) -> TrueWorld:
    """Return the world of a simulated station."""
    assert station.world is not None, "gymnasium environments need a simulated station"
    return cast(TrueWorld, station.world)


class Observer(Protocol):
    """One observation mode."""

    @property
    def space(self) -> spaces.Space[Any]:
        """The gymnasium space."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def observe(self, joints: JointState) -> Value:
        """Return the observation of this control period."""


class StateObserver:
    """`state`: joint positions (n,), velocities (n,), tip (3,), aperture, five object slots; float32."""

    def __init__(self, station: Station, hardware: Hardware) -> None:
        self._world = true_world(station)
        self._joints = len(hardware.robot.joint_names)
        self.space = unbounded(2 * self._joints + 4 + (2 + OTHERS) * STATE_SLOT)
        self._slots: list[tuple[str, int]] = []  # object, its place in the observation

    def reset(self, task: Task) -> None:
        """Decide which object is in which slot."""
        first = 2 * self._joints + 4
        self._slots = [
            (name, first + i * STATE_SLOT) for i, name in enumerate(slots(self._world.scene)) if name
        ]

    def observe(self, joints: JointState) -> Float32:
        """Return the true state."""
        n, state = self._joints, self._world.state()
        values = np.zeros(self.space.shape, dtype=np.float32)
        values[:n], values[n : 2 * n] = joints.position, joints.velocity
        values[2 * n : 2 * n + 3], values[2 * n + 3] = state.tip, state.aperture
        for name, at in self._slots:
            item = state.objects[name]
            values[at] = 1.0
            values[at + 1 : at + 4], values[at + 4 : at + 8] = item.position, item.quaternion
        return values


class ImageObserver:
    """`image`: a dict of one uint8 image (size, size, 3) a camera, and `joints` (2n,) float32."""

    def __init__(self, station: Station, hardware: Hardware, cameras: tuple[str, ...]) -> None:
        self._cameras = {name: station.cameras[name] for name in cameras}
        images = {
            name: spaces.Box(0, 255, (camera.model.height, camera.model.width, 3), np.uint8)
            for name, camera in self._cameras.items()
        }
        self.space = spaces.Dict({**images, "joints": unbounded(2 * len(hardware.robot.joint_names))})

    def reset(self, task: Task) -> None:
        """Nothing to remember."""

    def observe(self, joints: JointState) -> dict[str, Any]:
        """Return the images as the cameras see the scene now."""
        images = {name: camera.read().rgb for name, camera in self._cameras.items()}
        return {**images, "joints": joint_values(joints)}


class KeypointObserver:
    """`keypoints`: joint positions and velocities (2n,) and two slots for what perception saw; float32.

    A slot is confidence, position (3,), cosine and sine of twice the yaw, extent (3,), and 1 where the
    yaw is known. What is not seen is an empty slot.
    """

    def __init__(self, station: Station, hardware: Hardware, eye: Eye) -> None:
        self._eye = eye
        self._world = true_world(station)
        self.space = unbounded(2 * len(hardware.robot.joint_names) + 2 * KEYPOINT_SLOT)

    def reset(self, task: Task) -> None:
        """Nothing to remember; the eye begins its own episode."""

    def observe(self, joints: JointState) -> Float32:
        """Return what perception makes of the frames of now."""
        keypoints = self._eye.look(joints)[1].keypoints
        scene = self._world.scene
        names = [
            (name or "").replace(" ", "_") for name in (scene.moved, scene.target)
        ]  # as perception has it
        seen = [keypoints.get(name) for name in names]
        return np.concatenate([joint_values(joints), *(keypoint_values(item) for item in seen)])


class Eye:
    """The cameras of a station with the perception model of its hardware file."""

    def __init__(self, station: Station, hardware: Hardware, cameras: tuple[str, ...], task: str) -> None:
        self._cameras = {name: station.cameras[name] for name in cameras}
        self._seen: tuple[int, Mapping[str, CameraFrame], Percept] | None = None
        self._model = make_perception(hardware, task)

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._seen = None
        self._model.reset(task)

    def look(self, joints: JointState) -> tuple[Mapping[str, CameraFrame], Percept]:
        """Return the frames of now and what is seen in them; asked again in one period, the same."""
        if self._seen is None or self._seen[0] != joints.stamp:
            frames = {name: camera.read() for name, camera in self._cameras.items()}
            self._seen = joints.stamp, frames, self._model.process(frames, joints)
        return self._seen[1:]


def slots(scene: Scene) -> Iterator[str | None]:
    """Return the names of the objects by slot: moved, target, and the first of the others."""
    yield scene.moved
    yield scene.target
    others = sorted({item.spec.name for item in scene.objects} - {scene.moved, scene.target})
    yield from others[:OTHERS]


def joint_values(joints: JointState) -> Float32:
    """Return positions and velocities (2n,)."""
    return np.concatenate([joints.position, joints.velocity]).astype(np.float32)


def keypoint_values(keypoint: Keypoint | None) -> Float32:
    """Return a slot of the keypoint mode."""
    values = np.zeros(KEYPOINT_SLOT, dtype=np.float32)
    if keypoint is None:
        return values
    values[0], values[1:4] = keypoint.confidence, keypoint.position
    if keypoint.yaw is not None:
        values[4:6], values[9] = (np.cos(2 * keypoint.yaw), np.sin(2 * keypoint.yaw)), 1.0
    if keypoint.extent is not None:
        values[6:9] = keypoint.extent
    return values


def unbounded(length: int) -> spaces.Box:
    """Return a space of `length` numbers of any size."""
    return spaces.Box(-np.inf, np.inf, (length,), np.float32)
