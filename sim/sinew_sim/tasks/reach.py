"""Move the gripper above an object: its tip to the point 60 mm above the middle of the object's top."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import SceneConfig
from sinew_core.types import FloatArray

from sinew_sim.follow_up import follow_up
from sinew_sim.language import draw, mentioned, read
from sinew_sim.layout import add_distractors, lay_out, varied_object
from sinew_sim.paraphrases import PLAIN, WordingConfig, word
from sinew_sim.scene import ObjectSpec, ObjectState, Scene, SceneState, Shape

TEMPLATES = ("move the gripper above the {0}", "reach over the {0}", "go to the {0}")
BACK = "move the gripper away from the {0}"
DRAWN: tuple[Shape, ...] = ("cube", "cylinder", "sphere")
READ: tuple[Shape, ...] = ("cube", "cylinder", "sphere", "bowl", "pad")
HOVER = 0.06  # m above the middle of the top
NEAR = 0.02  # m
AWAY = 0.06  # m


class Reach:
    """One object to be above, and others."""

    max_steps = 200

    def __init__(self, config: WordingConfig = PLAIN) -> None:
        self._config = config

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out the object that the instruction names, or another."""
        things = read(instruction, (READ,)) if instruction else None
        avoid = mentioned(instruction)
        judged = things is not None or not instruction
        things = things or [draw(rng, DRAWN, avoid)]
        placed = lay_out(rng, area, [varied_object(rng, thing) for thing in things])
        objects = add_distractors(rng, area, placed, str(things[0]), avoid)
        moved = str(things[0]) if judged else None
        return Scene(objects, instruction or word(rng, self._config, "reach", TEMPLATES, things), moved)

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Ask for the gripper to leave the object, or to come back to it or to another."""
        return follow_up(scene, instruction, (READ,), TEMPLATES[0], BACK)

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Whether the tip is within 20 mm of the point above the object; on the way back, 60 mm from it."""
        if scene.moved is None:
            return False
        goal = hover_point(scene.spec(scene.moved), state.objects[scene.moved])
        distance = float(np.linalg.norm(state.tip - goal))
        return distance > AWAY if scene.backward else distance < NEAR


def hover_point(spec: ObjectSpec, state: ObjectState) -> FloatArray:
    """Return the point (3,) that `reach` asks for: HOVER above the middle of the object's top."""
    goal: FloatArray = state.position + np.array([0.0, 0.0, spec.height / 2 + HOVER])
    return goal
