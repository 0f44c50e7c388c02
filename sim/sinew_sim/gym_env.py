"""A gymnasium environment over any simulated station, with safety in the loop.

Importing this module registers `Sinew/<Task>-<Robot>-<Simulator>-v0`, such as
`Sinew/PickPlace-SO101-MuJoCo-v0`; `gymnasium.make("sinew_sim.gym_env:Sinew/...")` imports it, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from sinew_core.control import ControlPath
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, ActionChunk, ExecutedCommand, FloatArray, JointState

from sinew_sim.gym_ids import register
from sinew_sim.gym_observations import (
    Eye,
    ImageObserver,
    KeypointObserver,
    Observer,
    StateObserver,
    true_world,
)
from sinew_sim.gym_rewards import EnvReward, ModelReward, SparseSuccess

ObservationMode = Literal["state", "image", "keypoints"]
ActionMode = Literal["delta", "absolute"]
RENDER_CAMERA = "render"  # a copy of the side camera, whatever size the observation's images have

register()


class SinewEnv(gymnasium.Env[Any, npt.NDArray[np.float32]]):
    """One control period of the station a step; the commands go through the arbiter and safety filters.

    Actions are joint position targets in [-1, 1], in the robot's command order with the gripper as one
    joint. `delta`: the last target sent plus the action times what the joint's velocity limit allows in
    one control period. `absolute`: from the lower (-1) to the upper (1) joint limit.

    The reward is 1 on success and 0 otherwise, or the value of a reward model (`reward="goal_distance"`,
    a `module:Class` or a YAML file). Success terminates; the task's `max_steps` truncate. `info` holds
    `success`, the joint targets `executed` after safety, and `reasons`, the names of the limits that
    changed them; after a reset `instruction` and `seed`.

    `reset(seed=s)` lays out the very scene of `station.world.reset(s)`; `options={"instruction": "..."}`
    asks for a sentence.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012 - gymnasium's own form

    def __init__(
        self,
        hardware: str = "sim_mujoco",
        task: str = "pick_place",
        observation: ObservationMode = "state",
        action: ActionMode = "delta",
        reward: str = "",
        image_size: int = 128,
        cameras: tuple[str, ...] = ("top", "side"),
        render_mode: str | None = None,
    ) -> None:
        _check_choice("observation", observation, get_args(ObservationMode))
        _check_choice("action", action, get_args(ActionMode))
        _check_choice("render_mode", render_mode, (None, *self.metadata["render_modes"]))
        self.render_mode = render_mode
        if reward and observation == "image":
            raise ConfigError("a reward model looks at full images with depth: use another observation mode.")
        size = image_size if observation == "image" else 0
        self._hardware = fitted_hardware(load_hardware(hardware), cameras, size, render_mode is not None)
        self._station = self._hardware.open_station(task)
        self._world = true_world(self._station)
        # A learner explores: what is far away is approached at the limits rather than refused.
        anywhere = replace(self._hardware.config.authority, guard=math.inf, jump=math.inf)
        self._path = ControlPath(self._station, self._hardware, config=anywhere)
        looks = bool(reward) or observation == "keypoints"
        self._eye = Eye(self._station, self._hardware, cameras, task) if looks else None
        self._observer = self._make_observer(observation, cameras)
        self._reward: EnvReward = SparseSuccess()
        if reward:
            assert self._eye is not None
            self._reward = ModelReward(reward, self._hardware, task, self._eye)
        robot = self._hardware.robot
        self._absolute = action == "absolute"
        self._reach = robot.velocity * self._hardware.period / NANOSECONDS  # rad or m in one control period
        self._middle, self._half = (robot.upper + robot.lower) / 2, (robot.upper - robot.lower) / 2
        self.observation_space = self._observer.space
        self.action_space = spaces.Box(-1.0, 1.0, (len(robot.joint_names),), np.float32)
        self._dt = self._hardware.period / NANOSECONDS
        self._joints: JointState
        self._target: FloatArray
        self._left = 0

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Lay out a new scene and return the first observation."""
        super().reset(seed=seed)
        options = dict(options or {})
        instruction = str(options.pop("instruction", ""))
        if options:
            raise ConfigError(f"reset: unknown option '{next(iter(options))}'. Available: instruction.")
        scene_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        task = self._world.reset(scene_seed, instruction)
        self._joints = self._station.arm.read()
        self._target, self._left = self._joints.position, task.max_steps
        self._path.reset(self._joints)
        if self._eye is not None:
            self._eye.reset(task)
        self._observer.reset(task)
        self._reward.reset(task, self._joints)
        info = {"instruction": task.instruction, "seed": scene_seed, "success": False}
        return self._observer.observe(self._joints), info

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Send one command, advance one control period, observe."""
        executed = self._execute(np.asarray(action, dtype=np.float64))
        self._joints, self._target = self._station.arm.read(), executed.position
        success = self._world.success()
        self._left -= 1
        reward = self._reward.value(self._joints, success)
        info = {"success": success, "executed": executed.position, "reasons": executed.reasons}
        return self._observer.observe(self._joints), reward, success, self._left <= 0, info

    def render(self) -> npt.NDArray[np.uint8] | None:
        """Return the side camera's view."""
        if self.render_mode is None:
            return None
        return self._station.cameras[RENDER_CAMERA].read().rgb

    @property
    def station(self) -> Station:
        """The simulated station, for benches and scripted experts."""
        return self._station

    def close(self) -> None:
        """Release the simulator."""
        self._station.close()

    def _execute(self, action: FloatArray) -> ExecutedCommand:
        wanted = self._middle + action * self._half if self._absolute else self._target + action * self._reach
        stamp = self._joints.stamp
        fault = self._path.offer("policy", ActionChunk(stamp, self._dt, wanted[None]), stamp)
        if fault is not None:
            raise ValueError(f"action {action}: {fault}")
        return self._path.execute(self._joints)

    def _make_observer(self, mode: ObservationMode, cameras: tuple[str, ...]) -> Observer:
        if mode == "state":
            return StateObserver(self._station, self._hardware)
        if mode == "image":
            return ImageObserver(self._station, self._hardware, cameras)
        assert self._eye is not None
        return KeypointObserver(self._station, self._hardware, self._eye)


def fitted_hardware(hardware: Hardware, cameras: tuple[str, ...], size: int, render: bool) -> Hardware:
    """Return the hardware in lockstep, its observed cameras resized (0: as they are), a render camera added.

    Resized images are square and have no depth, which nothing reads.
    """
    configs = dict(hardware.config.cameras)
    for name in cameras:
        _check_choice("cameras", name, tuple(configs))
    if render:
        configs[RENDER_CAMERA] = replace(configs.get("side", next(iter(configs.values()))), depth=False)
    if size:
        resized = {name: replace(configs[name], width=size, height=size, depth=False) for name in cameras}
        configs.update(resized)
    models = {name: config.model(name, hardware.robot.base_link) for name, config in configs.items()}
    config = replace(hardware.config, cameras=configs, pace="lockstep")
    return replace(hardware, config=config, cameras=models)


def _check_choice(what: str, given: object, available: tuple[object, ...]) -> None:
    if given not in available:
        raise ConfigError(f"{what}: got {given!r}.{did_you_mean(str(given), map(str, available))}")
