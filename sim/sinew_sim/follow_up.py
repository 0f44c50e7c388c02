"""What may be asked next of a scene as it lies: the way back, the way there again, or another sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sinew_sim.language import mentioned, read
from sinew_sim.scene import Scene, SceneState, Shape
from sinew_sim.task import at_rest

BACK = re.compile(r"\b(out of|off(?! in)|away|table|remove)\b")  # what tells the way back in a sentence
UPRIGHT = 0.008  # m that an object's centre may be higher than half of its height, on the table


def follow_up(
    scene: Scene, instruction: str, kinds: Sequence[Sequence[Shape]], there: str, back: str
) -> Scene:
    """Return the scene with another instruction; not a thing in it is moved.

    `there` and `back` are the wordings of the two ways, with a place for each thing, and `kinds` the shapes
    that those places take. An empty instruction undoes the present one. Of one that cannot be read, or names
    what is not there, nothing is success.
    """
    if not instruction:
        if scene.moved is None:
            return scene
        wording = there if scene.backward else back
        sentence = wording.format(scene.moved, scene.target)
        return replace(scene, instruction=sentence, backward=not scene.backward)
    backward = BACK.search(instruction.lower()) is not None
    names = _named(scene, instruction, kinds, backward)
    present = {placed.spec.name for placed in scene.objects}
    if not names or not set(names) <= present:
        return replace(scene, instruction=instruction, moved=None, target=None, backward=backward)
    target = names[1] if len(names) > 1 else scene.target if backward else None
    return replace(scene, instruction=instruction, moved=names[0], target=target, backward=backward)


def _named(scene: Scene, instruction: str, kinds: Sequence[Sequence[Shape]], backward: bool) -> list[str]:
    """Return the names of the things that a sentence is about; on the way back the second may go unsaid."""
    things = read(instruction, kinds)
    if things is None and backward and len(mentioned(instruction)) == 1:
        things = read(instruction, kinds[:1])
    return [] if things is None else [str(thing) for thing in things]


def on_table(scene: Scene, state: SceneState, name: str) -> bool:
    """Tell whether an object lies still on the table itself."""
    height = state.objects[name].position[2]
    return bool(height < scene.spec(name).height / 2 + UPRIGHT) and at_rest(state, name)


def apart(state: SceneState, a: str, b: str) -> float:
    """Return the horizontal distance between two objects' middles, m."""
    offset = state.objects[a].position - state.objects[b].position
    return float(np.hypot(offset[0], offset[1]))
