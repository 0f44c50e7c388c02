"""What a task is to a simulated station: it lays out scenes and judges their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from sinew_core.hardware import SceneConfig
from sinew_core.models import named_spec
from sinew_core.plugins import build

from sinew_sim.language import Thing, draw, mentioned, read
from sinew_sim.scene import PlacedObject, Scene, SceneState, Shape

SLOW = 0.02  # m/s, below which an object is at rest
RELEASED = 0.05  # m from the tip to an object's centre, beyond which no gripper can hold it


@runtime_checkable
class TaskDefinition(Protocol):
    """A reset distribution with an instruction, and a success test."""

    @property
    def max_steps(self) -> int:
        """Control periods of 50 ms that are ample."""

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out a scene; an empty instruction draws one.

        A given instruction that the task can read is laid out and judged. One that it cannot read gets
        a scene without any object that the instruction names, in which nothing is success.
        """

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Return the scene, as it lies, with another instruction; an empty one undoes the present one."""

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Tell whether the scene's instruction is carried out in this state; pure."""


def load_task(name: str) -> TaskDefinition:
    """Return the task that a user named: `pick_place` or `module:Class`; raises ConfigError."""
    return build(named_spec("task", name), TaskDefinition, f"task {name}")


@dataclass(frozen=True, slots=True)
class Asked:
    """The object and the target of an episode, and whether the instruction was understood."""

    things: tuple[Thing, Thing]
    avoid: Sequence[Thing]  # named by the instruction, so never a distractor
    judged: bool

    def scene(self, objects: Sequence[PlacedObject], instruction: str) -> Scene:
        """Return the scene of these objects; one that is not judged has no object to be moved."""
        moved, target = map(str, self.things) if self.judged else (None, None)
        return Scene(tuple(objects), instruction, moved=moved, target=target)


def ask(
    rng: np.random.Generator,
    instruction: str,
    readable: tuple[Sequence[Shape], Sequence[Shape]],
    drawn: tuple[Sequence[Shape], Sequence[Shape]],
) -> Asked:
    """Return what a two-object instruction is about, or draw it.

    `readable` are the shapes that an instruction may name in its two places, `drawn` those that are
    drawn where none is given. Of an instruction that cannot be read, nothing is drawn.
    """
    read_things = read(instruction, readable) if instruction else None
    avoid = mentioned(instruction)
    if read_things is not None:
        return Asked((read_things[0], read_things[1]), avoid, judged=True)
    moved = draw(rng, drawn[0], avoid)
    return Asked((moved, draw(rng, drawn[1], [moved, *avoid])), avoid, judged=not instruction)


def at_rest(state: SceneState, name: str) -> bool:
    """Tell whether an object lies still."""
    return state.objects[name].speed < SLOW


def released(state: SceneState, name: str) -> bool:
    """Tell whether the gripper is away from an object: opened, and drawn back by RELEASED."""
    return float(np.linalg.norm(state.tip - state.objects[name].position)) > RELEASED
