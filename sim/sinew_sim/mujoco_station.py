"""A station in MuJoCo: arm, cameras and objects in one physics, deterministic for a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sinew_sim.mujoco_gl  # noqa: F401 - before mujoco, which reads the choice when imported

# isort: split
import mujoco
import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import (
    NANOSECONDS,
    CameraFrame,
    CameraModel,
    FloatArray,
    JointCommand,
    JointState,
    Task,
)

from sinew_sim.mujoco_model import base_spec, scene_model
from sinew_sim.mujoco_render import MujocoRenderer
from sinew_sim.scene import ObjectState, Scene, SceneState
from sinew_sim.task import TaskDefinition, load_task
from sinew_sim.timestep import SETTLE, check_period, timestep_ns, whole_steps


@dataclass(frozen=True, slots=True)
class MujocoStationConfig:
    """The fields of `station:` in a hardware file."""

    timestep: float = 0.002  # s

    def __post_init__(self) -> None:
        """Check that it is a whole number of nanoseconds."""
        timestep_ns(self.timestep)


class MujocoWorld:
    """The physics; every reset compiles the model of its scene, so no reset knows of an earlier one."""

    def __init__(self, config: MujocoStationConfig, hardware: Hardware, task: str) -> None:
        self._hardware, self._robot, self._name = hardware, hardware.robot, task
        self._tick = timestep_ns(config.timestep)
        check_period(hardware, self._tick)
        self._task: TaskDefinition = load_task(task)
        self._base = base_spec(hardware, config.timestep)
        self._stamp = NANOSECONDS
        self._state: SceneState | None = None
        self.scene: Scene
        self.model: mujoco.MjModel
        self.data: mujoco.MjData
        self._load(Scene((), "", None))

    @property
    def stamp(self) -> int:
        """The simulated time, in ns."""
        return self._stamp

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Lay out the scene of a seed, the arm at home, and let the objects come to rest."""
        rng = np.random.default_rng(seed)
        self._load(self._task.sample(rng, instruction, self._hardware.config.scene))
        self.step(SETTLE)
        self.put(self._robot.home)
        return Task(self._name, self.scene.instruction, self._task.max_steps)

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies; nothing moves, and no time passes."""
        self.scene = self._task.ask(self.scene, instruction)
        return Task(self._name, self.scene.instruction, self._task.max_steps)

    def step(self, duration: int) -> None:
        """Advance by `duration` ns; raises ConfigError unless that is a multiple of the timestep."""
        mujoco.mj_step(self.model, self.data, whole_steps(duration, self._tick))
        self._state = None
        self._stamp += duration

    def success(self) -> bool:
        """Tell whether the task is done."""
        return self._task.success(self.scene, self.state())

    def state(self) -> SceneState:
        """Return the true state of the objects and the gripper; within one moment the same object."""
        if self._state is None:
            self._state = self._read_state()
        return self._state

    def _read_state(self) -> SceneState:
        data = self.data
        objects = {
            name: ObjectState(
                data.xpos[body].copy(),
                data.xquat[body].copy(),
                np.zeros(3) if dof < 0 else data.qvel[dof : dof + 3].copy(),
            )
            for name, body, dof in self._bodies
        }
        return SceneState(objects, data.xpos[self._tip].copy(), self._robot.aperture(self.position))

    @property
    def position(self) -> FloatArray:
        """The commanded joints' positions (n,), a copy."""
        position: FloatArray = self.data.qpos[self._columns]
        return position

    @property
    def velocity(self) -> FloatArray:
        """The commanded joints' velocities (n,), a copy."""
        velocity: FloatArray = self.data.qvel[self._dofs]
        return velocity

    def put(self, position: FloatArray) -> None:
        """Put the arm exactly at a position (n,), at rest, its servos holding it there."""
        robot, data = self._robot, self.data
        data.qpos[self._columns] = data.ctrl[:] = position
        data.qvel[self._dofs] = 0.0
        for follower, (leader, scale, offset) in robot.mimic.items():
            joint = self.model.joint(follower)
            data.qpos[joint.qposadr[0]] = scale * position[robot.joint_names.index(leader)] + offset
            data.qvel[joint.dofadr[0]] = 0.0
        mujoco.mj_forward(self.model, data)
        self._state = None

    def place(self, name: str, position: FloatArray, yaw: float = 0.0) -> None:
        """Put an object somewhere (3,), upright and at rest; for tests."""
        joint = self.model.joint(self.model.body(name).jntadr[0])
        address, dof = joint.qposadr[0], joint.dofadr[0]
        self.data.qpos[address : address + 7] = (*position, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
        self.data.qvel[dof : dof + 6] = 0.0
        self._state = None
        mujoco.mj_forward(self.model, self.data)

    def _load(self, scene: Scene) -> None:
        self.scene = scene
        self.model = scene_model(self._base, scene)
        self.data = mujoco.MjData(self.model)
        joints = [self.model.joint(name) for name in self._robot.joint_names]
        self._columns = np.array([joint.qposadr[0] for joint in joints])
        self._dofs = np.array([joint.dofadr[0] for joint in joints])
        self._tip = self.model.body(self._robot.tip_link).id
        names = [placed.spec.name for placed in scene.objects]
        bodies = [self.model.body(name) for name in names]
        self._bodies = [
            (name, body.id, int(body.dofadr[0]) if body.dofnum[0] else -1)
            for name, body in zip(names, bodies, strict=True)
        ]
        self.put(self._robot.home)


class MujocoArm:
    """The simulated arm."""

    def __init__(self, world: MujocoWorld) -> None:
        self._world = world

    def read(self) -> JointState:
        """Return the joints as the physics has them."""
        world = self._world
        return JointState(world.stamp, world.position, world.velocity, world.data.actuator_force.copy())

    def write(self, command: JointCommand) -> None:
        """Set the servos' targets; what is safe was decided before."""
        self._world.data.ctrl[:] = command.position

    def stop(self) -> None:
        """Nothing to do: the servos hold the last target."""

    def close(self) -> None:
        """Nothing to release."""


class MujocoCamera:
    """A simulated RGB-D camera."""

    def __init__(self, world: MujocoWorld, renderer: MujocoRenderer, model: CameraModel, depth: bool) -> None:
        self._world, self._renderer, self._model, self._depth = world, renderer, model, depth

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._model

    def read(self) -> CameraFrame:
        """Draw the scene as it is now."""
        world = self._world
        rgb, depth = self._renderer.render(world.model, world.data, self._model, self._depth)
        return CameraFrame(world.stamp, rgb, depth)

    def close(self) -> None:
        """Free the renderer that the cameras share; it comes back with the next frame."""
        self._renderer.close()


class MujocoStation:
    """One robot at one table, for one task."""

    def __init__(self, config: MujocoStationConfig, hardware: Hardware, task: str) -> None:
        self._world = MujocoWorld(config, hardware, task)
        self._arm = MujocoArm(self._world)
        self._renderer = MujocoRenderer(hardware.cameras.values())
        self._cameras = {
            name: MujocoCamera(self._world, self._renderer, model, hardware.config.cameras[name].depth)
            for name, model in hardware.cameras.items()
        }

    @property
    def arm(self) -> MujocoArm:
        """The arm."""
        return self._arm

    @property
    def cameras(self) -> Mapping[str, MujocoCamera]:
        """The cameras by name."""
        return self._cameras

    @property
    def world(self) -> MujocoWorld:
        """The physics, with `scene` and `state()` for whoever may know the truth."""
        return self._world

    def close(self) -> None:
        """Free the graphics context."""
        self._renderer.close()
