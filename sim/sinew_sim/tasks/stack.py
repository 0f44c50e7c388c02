"""Stack one object on another."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import SceneConfig

from sinew_sim.follow_up import follow_up, on_table
from sinew_sim.layout import add_distractors, lay_out, varied_object
from sinew_sim.paraphrases import PLAIN, WordingConfig, word
from sinew_sim.scene import Scene, SceneState, Shape
from sinew_sim.task import ask, at_rest, released

TEMPLATES = ("stack the {0} on the {1}", "stack the {0} on top of the {1}", "put the {0} on top of the {1}")
BACK = "take the {0} off the {1}"
FLAT: tuple[Shape, ...] = ("cube", "cylinder")
CUBE: tuple[Shape, ...] = ("cube",)
HEIGHT_TOLERANCE = 0.005  # m


class Stack:
    """Two objects with flat tops, and things that are not meant."""

    max_steps = 400

    def __init__(self, config: WordingConfig = PLAIN) -> None:
        self._config = config

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out the two objects that the instruction names, or two cubes that it does not."""
        asked = ask(rng, instruction, readable=(FLAT, FLAT), drawn=(CUBE, CUBE))
        placed = lay_out(rng, area, [varied_object(rng, thing) for thing in asked.things])
        objects = add_distractors(rng, area, placed, str(asked.things[0]), asked.avoid)
        return asked.scene(objects, instruction or word(rng, self._config, "stack", TEMPLATES, asked.things))

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Ask for the upper object to be taken off again, or put on."""
        return follow_up(scene, instruction, (FLAT, FLAT), TEMPLATES[0], BACK)

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Whether one object rests on the other: over its top, at rest, the gripper away.

        On the way back: whether it rests on the table.
        """
        if scene.moved is None or scene.target is None:
            return False
        if scene.backward:
            return on_table(scene, state, scene.moved) and released(state, scene.moved)
        upper, lower = state.objects[scene.moved], state.objects[scene.target]
        specs = scene.spec(scene.moved), scene.spec(scene.target)
        offset = upper.position - lower.position
        over = np.hypot(offset[0], offset[1]) < specs[1].size[0] / 2
        on_top = abs(offset[2] - (specs[0].height + specs[1].height) / 2) < HEIGHT_TOLERANCE
        return bool(over and on_top) and at_rest(state, scene.moved) and released(state, scene.moved)
