"""Put an object into a bowl."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import SceneConfig

from sinew_sim.follow_up import apart, follow_up, on_table
from sinew_sim.layout import add_distractors, lay_out, varied_object
from sinew_sim.paraphrases import PLAIN, WordingConfig, word
from sinew_sim.scene import GRASPABLE, Scene, SceneState, Shape
from sinew_sim.task import ask, at_rest, released

TEMPLATES = (
    "put the {0} in the {1}",
    "place the {0} into the {1}",
    "pick up the {0} and put it in the {1}",
    "move the {0} into the {1}",
)
BACK = "take the {0} out of the {1}"
DRAWN: tuple[Shape, ...] = ("cube", "cylinder")
BOWL: tuple[Shape, ...] = ("bowl",)
RIM_MARGIN = 0.010  # m that the object's centre may be above the rim


class PickPlace:
    """One object, one bowl, and things that are not meant."""

    max_steps = 400

    def __init__(self, config: WordingConfig = PLAIN) -> None:
        self._config = config

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out the object and the bowl that the instruction names, or others without them."""
        asked = ask(rng, instruction, readable=(GRASPABLE, BOWL), drawn=(DRAWN, BOWL))
        placed = lay_out(rng, area, [varied_object(rng, thing) for thing in asked.things])
        objects = add_distractors(rng, area, placed, str(asked.things[0]), asked.avoid)
        return asked.scene(
            objects, instruction or word(rng, self._config, "pick_place", TEMPLATES, asked.things)
        )

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Ask for the object to be taken out of the bowl again, or put into it."""
        return follow_up(scene, instruction, (GRASPABLE, BOWL), TEMPLATES[0], BACK)

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Whether the object lies in the bowl: inside and below the rim, at rest, the gripper away.

        On the way back: whether it lies on the table beside the bowl.
        """
        if scene.moved is None or scene.target is None:
            return False
        if scene.backward:
            beside = apart(state, scene.moved, scene.target) > scene.spec(scene.target).size[0] / 2
            return beside and on_table(scene, state, scene.moved) and released(state, scene.moved)
        item, bowl = state.objects[scene.moved], state.objects[scene.target]
        spec = scene.spec(scene.target)
        offset = item.position - bowl.position
        inside = np.hypot(offset[0], offset[1]) < spec.inner_radius
        below = offset[2] < spec.height / 2 + RIM_MARGIN
        return bool(inside and below) and at_rest(state, scene.moved) and released(state, scene.moved)
