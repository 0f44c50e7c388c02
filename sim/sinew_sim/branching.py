"""A saved moment of a MuJoCo station, from which any number of episodes begin bit for bit alike."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from sinew_core.types import Task

import sinew_sim.mujoco_gl  # noqa: F401 - before mujoco, which reads the choice when imported

# isort: split
import mujoco

from sinew_sim.mujoco_station import MujocoArm, MujocoCamera, MujocoStation, MujocoWorld
from sinew_sim.scene import Scene


@dataclass(frozen=True, slots=True)
class SavedMoment:
    """The whole state of a world, warm starts and contact forces included; its clock is not in it."""

    scene: Scene
    task: Task
    data: mujoco.MjData


def save(world: MujocoWorld, task: Task) -> SavedMoment:
    """Return a copy of everything that decides what happens next; `task` is what its reset returned."""
    return SavedMoment(world.scene, task, copy.copy(world.data))


def restore(world: MujocoWorld, moment: SavedMoment) -> None:
    """Put a world back to a moment, bit for bit; only its clock goes on, for it never runs backwards."""
    # The model is compiled anew whatever lies there now: no sizes of another scene can then differ.
    world._load(moment.scene)  # as `reset` does, without a draw
    mujoco.mj_copyData(world.data, world.model, moment.data)


class BranchedStation:
    """A MuJoCo station whose episodes all begin at one saved moment, whatever their seed."""

    def __init__(self, station: MujocoStation, moment: SavedMoment) -> None:
        self._station, self._world = station, _BranchedWorld(station.world, moment)

    @property
    def arm(self) -> MujocoArm:
        """The arm."""
        return self._station.arm

    @property
    def cameras(self) -> Mapping[str, MujocoCamera]:
        """The cameras by name."""
        return self._station.cameras

    @property
    def world(self) -> _BranchedWorld:
        """The physics."""
        return self._world

    def close(self) -> None:
        """Nothing: the station belongs to whoever opened it."""


class _BranchedWorld:
    """A world that a reset brings to the saved moment."""

    def __init__(self, world: MujocoWorld, moment: SavedMoment) -> None:
        self._world, self._moment = world, moment

    @property
    def stamp(self) -> int:
        """The simulated time, in ns."""
        return self._world.stamp

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Go back to the moment; scene and instruction are those of then."""
        restore(self._world, self._moment)
        return self._moment.task

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies."""
        return self._world.ask(instruction)

    def step(self, duration: int) -> None:
        """Advance by `duration` ns."""
        self._world.step(duration)

    def success(self) -> bool:
        """Tell whether the task is done."""
        return self._world.success()
