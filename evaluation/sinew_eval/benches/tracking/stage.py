"""The simulated table on which events are played: what cameras deliver, and the truth beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, FloatArray, JointCommand, JointState, Task
from sinew_perception.truth import true_objects
from sinew_sim.mujoco_station import MujocoWorld

Places = dict[str, tuple[FloatArray, float]]  # by object: ground (2,) m and yaw rad

BOTH = ("top", "side")
AWAY = (0.2, -1.5)  # m; no camera sees what lies here


@dataclass(frozen=True, slots=True)
class Moment:
    """One control period: what perception is given, and what is true."""

    frames: Mapping[str, CameraFrame]
    joints: JointState
    truth: Mapping[str, tuple[FloatArray, float]]  # centre (3,) m, and the share of it that is seen


class Stage:
    """A station with its world laid open; the script moves arm and objects, the physics the rest."""

    def __init__(self, hardware: Hardware, task: str, cameras: tuple[str, ...] = BOTH) -> None:
        self.cameras = cameras
        self.hardware, self.robot, self.area = hardware, hardware.robot, hardware.config.scene
        self._station = hardware.open_station(task)
        if not isinstance(self._station.world, MujocoWorld):
            self._station.close()
            known = "sim_mujoco, sim_mujoco_fr3"
            raise ConfigError(f"hardware '{hardware.name}': this bench needs a MuJoCo station ({known}).")
        self.world = self._station.world
        self.task = Task(task, "")

    def reset(self, seed: int) -> Task:
        """Lay out the scene of a seed, the arm at home."""
        self.task = self.world.reset(seed)
        return self.task

    @property
    def joints(self) -> JointState:
        """The measured joints."""
        return self._station.arm.read()

    def look(self) -> Moment:
        """Read the cameras and the truth, less what has been taken away."""
        frames = {name: self._station.cameras[name].read() for name in self.cameras}
        truth = {
            name: (position, seen)
            for name, (position, seen) in true_objects(self.hardware, self._station, frames).items()
            if np.linalg.norm(position[:2] - AWAY) > 0.3
        }
        return Moment(frames, self.joints, truth)

    def advance(self, target: FloatArray) -> None:
        """Send joint targets (n,) and let one control period pass."""
        self._station.arm.write(JointCommand(self.joints.stamp, target))
        self.world.step(self.hardware.period)

    def place(self, name: str, ground: FloatArray, yaw: float = 0.0) -> None:
        """Stand an object on the table at (2,) m, at rest."""
        height = self.world.scene.spec(name).height / 2
        self.world.place(name, np.array([*ground, height + 0.0005]), yaw)

    def ground(self, name: str) -> FloatArray:
        """Return where an object stands, (2,) m."""
        position: FloatArray = self.world.state().objects[name].position[:2]
        return position.copy()

    def yaw(self, name: str) -> float:
        """Return an upright object's yaw, rad."""
        w, _, _, z = self.world.state().objects[name].quaternion
        return float(2 * np.arctan2(z, w))

    def places(self) -> Places:
        """Return where everything that can be moved stands."""
        return {name: (self.ground(name), self.yaw(name)) for name in self.movable()}

    def put(self, places: Places) -> None:
        """Stand objects at their places."""
        for name, (ground, yaw) in places.items():
            self.place(name, ground, yaw)

    def movable(self) -> list[str]:
        """Return the objects that can be moved."""
        return [placed.spec.name for placed in self.world.scene.objects if not placed.spec.static]

    def room(self, name: str, places: FloatArray) -> FloatArray:
        """Return how much room (k,) m is left between an object at `places` (k, 2) m and all others."""
        scene = self.world.scene
        others = [placed.spec for placed in scene.objects if placed.spec.name != name]
        if not others:
            return np.full(len(places), np.inf)
        stand = np.array([self.ground(spec.name) for spec in others])
        radii = np.array([spec.radius for spec in others]) + scene.spec(name).radius
        gaps = np.linalg.norm(places[:, None] - stand, axis=2) - radii
        least: FloatArray = gaps.min(axis=1)
        return least

    def shown(self, name: str, places: FloatArray, moment: Moment) -> FloatArray:
        """Return how much of an object at each of `places` (k, 2) m nothing would hide in the best camera.

        A rough figure, by points all over its bounding box and the depth images of `moment`.
        """
        x, y, z = (s / 2 * np.linspace(-0.9, 0.9, 4) for s in self.world.scene.spec(name).size)
        box = np.stack(np.meshgrid(x, y, z + z.max() + 0.002), axis=-1).reshape(-1, 3)
        points = box + np.column_stack([places, np.zeros(len(places))])[:, None]  # (k, 64, 3)
        best = np.zeros(len(places))
        for camera, frame in moment.frames.items():
            model = self.hardware.cameras[camera]
            X_BC = self.robot.chain.pose(model.link, moment.joints.position) @ model.X_LC
            x, y, far = np.moveaxis((points - X_BC[:3, 3]) @ X_BC[:3, :3], -1, 0)
            column = np.round(model.fx * x / far + model.cx).astype(int).clip(0, model.width - 1)
            row = np.round(model.fy * y / far + model.cy).astype(int).clip(0, model.height - 1)
            assert frame.depth is not None
            best = np.maximum(best, (frame.depth[row, column] > far - 0.004).mean(axis=1))
        return best

    def close(self) -> None:
        """Release the station."""
        self._station.close()
