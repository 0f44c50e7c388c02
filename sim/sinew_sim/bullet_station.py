"""A station in PyBullet: arm, cameras and objects in one physics, deterministic for a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from pybullet_utils.bullet_client import BulletClient
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, FloatArray, Task

from sinew_sim.bullet_arm import BulletArm
from sinew_sim.bullet_bodies import add_object, add_table, xyzw
from sinew_sim.bullet_client import close_client, open_client
from sinew_sim.bullet_render import BulletCamera
from sinew_sim.scene import UPRIGHT, ObjectState, Quaternion, Scene, SceneState
from sinew_sim.task import TaskDefinition, load_task
from sinew_sim.timestep import SETTLE, check_period, timestep_ns, whole_steps

GRAVITY = 9.81  # m/s^2


@dataclass(frozen=True, slots=True)
class BulletStationConfig:
    """The fields of `station:` in a hardware file."""

    timestep: float = 0.0025  # s
    solver_iterations: int = 60

    def __post_init__(self) -> None:
        """Check that the timestep is a whole number of nanoseconds."""
        timestep_ns(self.timestep)
        if self.solver_iterations < 1:
            raise ValueError(f"solver_iterations: expected at least 1, got {self.solver_iterations}.")


class BulletWorld:
    """The physics; every reset builds it anew, so no reset knows of an earlier one."""

    def __init__(
        self, config: BulletStationConfig, client: BulletClient, hardware: Hardware, task: str
    ) -> None:
        self._config, self.client, self._hardware, self._name = config, client, hardware, task
        self._timestep = timestep_ns(config.timestep)
        check_period(hardware, self._timestep)
        self._task: TaskDefinition = load_task(task)
        self._stamp = NANOSECONDS
        self._bodies: dict[str, int] = {}
        self.arm = BulletArm(client, hardware.robot, config.timestep, lambda: self._stamp)
        self.scene: Scene
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
        self.arm.go_home()
        return Task(self._name, self.scene.instruction, self._task.max_steps)

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies; nothing moves, and no time passes."""
        self.scene = self._task.ask(self.scene, instruction)
        return Task(self._name, self.scene.instruction, self._task.max_steps)

    def step(self, duration: int) -> None:
        """Advance by `duration` ns; raises ConfigError unless that is a multiple of the timestep."""
        advance = self.client.stepSimulation  # found once: the client looks its functions up by name
        for _ in range(whole_steps(duration, self._timestep)):
            advance()
        self._stamp += duration

    def success(self) -> bool:
        """Tell whether the task is done."""
        return self._task.success(self.scene, self.state())

    def state(self) -> SceneState:
        """Return the true state of the objects and the gripper."""
        robot = self._hardware.robot
        objects = {name: self._object_state(body) for name, body in self._bodies.items()}
        tip = self.arm.pose(robot.tip_link)[:3, 3]
        return SceneState(objects, tip, robot.aperture(self.arm.read().position))

    def place(self, name: str, position: FloatArray, quaternion: Quaternion = UPRIGHT) -> None:
        """Put an object somewhere (3,), turned by (w, x, y, z), at rest; for tests."""
        self.client.resetBasePositionAndOrientation(self._bodies[name], list(position), xyzw(quaternion))
        self.client.resetBaseVelocity(self._bodies[name], (0, 0, 0), (0, 0, 0))

    def _object_state(self, body: int) -> ObjectState:
        position, (x, y, z, w) = self.client.getBasePositionAndOrientation(body)
        velocity, _ = self.client.getBaseVelocity(body)
        return ObjectState(np.array(position), np.array([w, x, y, z]), np.array(velocity))

    def _load(self, scene: Scene) -> None:
        self.scene = scene
        self.client.resetSimulation()
        self.client.setGravity(0.0, 0.0, -GRAVITY)
        self.client.setPhysicsEngineParameter(
            fixedTimeStep=self._config.timestep,
            numSolverIterations=self._config.solver_iterations,
            deterministicOverlappingPairs=1,
        )
        add_table(self.client)
        self.arm.load()
        self._bodies = {placed.spec.name: add_object(self.client, placed) for placed in scene.objects}


class BulletStation:
    """One robot at one table, for one task, in a physics client of its own."""

    def __init__(self, config: BulletStationConfig, hardware: Hardware, task: str) -> None:
        self._client = open_client()
        self._world = BulletWorld(config, self._client, hardware, task)
        world, arm = self._world, self._world.arm
        self._cameras = {
            name: BulletCamera(
                self._client,
                model,
                hardware.config.cameras[name].depth,
                pose=partial(arm.pose, model.link),
                clock=lambda: world.stamp,
            )
            for name, model in hardware.cameras.items()
        }

    @property
    def arm(self) -> BulletArm:
        """The arm."""
        return self._world.arm

    @property
    def cameras(self) -> Mapping[str, BulletCamera]:
        """The cameras by name."""
        return self._cameras

    @property
    def world(self) -> BulletWorld:
        """The physics, with `scene` and `state()` for whoever may know the truth."""
        return self._world

    def close(self) -> None:
        """Release the physics client; safe to call more than once."""
        close_client(self._client)
