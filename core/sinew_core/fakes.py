"""Stand-ins for tests and for measuring a graph without a renderer: an ideal arm before painted frames."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sinew_core.hardware import Hardware
from sinew_core.types import (
    NANOSECONDS,
    CameraFrame,
    CameraModel,
    DepthArray,
    FloatArray,
    ImageArray,
    JointCommand,
    JointState,
    Task,
)

TABLE = (205, 203, 198)
CUBES = {"red": ((200, 30, 30), (0.20, 0.05)), "blue": ((30, 60, 200), (0.22, -0.06))}
CUBE = 0.03  # m, edge
THERE, BACK = "put the red cube on the blue cube", "take the red cube off the blue cube"


class FakeClock:
    """A clock that either follows the wall or is moved by hand."""

    def __init__(self, wall: bool) -> None:
        self._wall = wall
        self._stamp = NANOSECONDS

    @property
    def stamp(self) -> int:
        """The present time, in ns."""
        return time.time_ns() if self._wall else self._stamp

    def advance(self, duration: int) -> None:
        """Move a clock that does not follow the wall."""
        self._stamp += duration


class FakeArm:
    """An arm that is at once where it is told to be."""

    def __init__(self, clock: FakeClock, home: FloatArray) -> None:
        self._clock = clock
        self.position = home.copy()
        self.stops = 0

    def read(self) -> JointState:
        """Return the last commanded position, at rest."""
        return JointState(self._clock.stamp, self.position.copy(), np.zeros_like(self.position))

    def write(self, command: JointCommand) -> None:
        """Go there."""
        self.position = command.position.copy()

    def stop(self) -> None:
        """Count the call."""
        self.stops += 1

    def close(self) -> None:
        """Nothing to release."""


class FakeCamera:
    """A camera over a table with a red and a blue cube that circle slowly; frames are painted once."""

    FRAMES = 8

    def __init__(self, model: CameraModel, clock: FakeClock, depth: bool = True) -> None:
        self._model, self._clock, self._depth = model, clock, depth
        angles = np.arange(self.FRAMES) * 2 * np.pi / self.FRAMES
        self._frames = [paint(model, 0.005 * np.array([np.cos(a), np.sin(a)])) for a in angles]
        self._reads = 0

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._model

    def read(self) -> CameraFrame:
        """Return the next frame, stamped now."""
        rgb, depth = self._frames[self._reads % self.FRAMES]
        self._reads += 1
        return CameraFrame(self._clock.stamp, rgb.copy(), depth.copy() if self._depth else None)

    def close(self) -> None:
        """Nothing to release."""


def paint(model: CameraModel, offset: FloatArray) -> tuple[ImageArray, DepthArray]:
    """Paint the table and the upper faces of the cubes, moved by `offset` (2,) m, with exact depth."""
    columns, rows = np.meshgrid(np.arange(model.width), np.arange(model.height))
    rays = np.stack(
        [(columns - model.cx) / model.fx, (rows - model.cy) / model.fy, np.ones_like(columns)], axis=-1
    )
    directions = rays @ model.X_LC[:3, :3].T
    eye = model.X_LC[:3, 3]
    rgb = np.empty((model.height, model.width, 3), dtype=np.uint8)
    rgb[:] = TABLE
    depth = _plane_depth(directions, eye, 0.0)
    top = _plane_depth(directions, eye, CUBE)
    points = eye[:2] + top[..., None] * directions[..., :2]
    for colour, centre in CUBES.values():
        face = (np.abs(points - np.add(centre, offset)) < CUBE / 2).all(axis=-1) & (top > 0)
        rgb[face] = colour
        depth[face] = top[face]
    return rgb, (np.round(depth * 1000) / 1000).astype(np.float32)


def _plane_depth(directions: FloatArray, eye: FloatArray, height: float) -> FloatArray:
    """Return the distance along the optical axis to the plane z = height, 0 where a ray misses it."""
    down = np.minimum(directions[..., 2], -1e-6)
    depth: FloatArray = (height - eye[2]) / down
    return np.where((depth > 0) & (depth < 5.0), depth, 0.0)


class FakeWorld:
    """A world without physics that calls the task done after a number of control periods."""

    def __init__(self, clock: FakeClock, arm: FakeArm, task: str, success_after: int) -> None:
        self._clock, self._arm, self._task = clock, arm, task
        self._home = arm.position.copy()
        self._success_after = success_after
        self._steps = 0
        self._asked = THERE

    @property
    def stamp(self) -> int:
        """The simulated time, in ns."""
        return self._clock.stamp

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Put the arm home, displaced by less than 0.01 rad as the seed decides."""
        self._steps = 0
        self._clock.advance(NANOSECONDS)
        self._arm.position = self._home + np.random.default_rng(seed).uniform(0, 0.01, len(self._home))
        self._asked = instruction or THERE
        return Task(self._task, self._asked, max_steps=50)

    def ask(self, instruction: str = "") -> Task:
        """Leave the arm where it is; one sentence undoes the other."""
        self._steps = 0
        self._asked = instruction or (THERE if self._asked == BACK else BACK)
        return Task(self._task, self._asked, max_steps=50)

    def step(self, duration: int) -> None:
        """Let time pass."""
        self._steps += 1
        self._clock.advance(duration)

    def success(self) -> bool:
        """Tell whether enough periods have passed."""
        return 0 < self._success_after <= self._steps


@dataclass(frozen=True, slots=True)
class FakeStationConfig:
    """Whether the station has a world of its own or follows the wall clock, as hardware does."""

    world: bool = False
    success_after: int = 0  # control periods; 0 for never


class FakeStation:
    """A station of an ideal arm and painted cameras."""

    def __init__(self, config: FakeStationConfig, hardware: Hardware, task: str) -> None:
        clock = FakeClock(wall=not config.world)
        home = hardware.robot.home
        self._arm = FakeArm(clock, home)
        self._cameras = {
            name: FakeCamera(model, clock, hardware.config.cameras[name].depth)
            for name, model in hardware.cameras.items()
        }
        self._world = FakeWorld(clock, self._arm, task, config.success_after) if config.world else None

    @property
    def arm(self) -> FakeArm:
        """The arm."""
        return self._arm

    @property
    def cameras(self) -> Mapping[str, FakeCamera]:
        """The cameras by name."""
        return self._cameras

    @property
    def world(self) -> FakeWorld | None:
        """The world, when configured."""
        return self._world

    def close(self) -> None:
        """Stop the arm."""
        self._arm.stop()
