"""Push an object along the table onto a pad."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.hardware import SceneConfig
from sinew_core.types import FloatArray

from sinew_sim.follow_up import apart, follow_up, on_table
from sinew_sim.layout import add_distractors, lay_out, varied_object
from sinew_sim.paraphrases import PLAIN, WordingConfig, word
from sinew_sim.scene import GRASPABLE, PlacedObject, Scene, SceneState, Shape
from sinew_sim.task import ask, at_rest

TEMPLATES = ("push the {0} to the {1}", "push the {0} onto the {1}", "slide the {0} to the {1}")
BACK = "push the {0} away from the {1}"
DRAWN: tuple[Shape, ...] = ("cube", "cylinder")
PAD: tuple[Shape, ...] = ("pad",)
NEAREST, FARTHEST = 0.07, 0.12  # m from the object to the pad
BEHIND = 0.05  # m behind the object, where the tip starts to push
LANE = 0.055  # m on either side of the way of the tip, free of distractors
ON_PAD = 0.035  # m from the pad's centre
OFF_PAD = 0.060  # m from the pad's centre: all but a corner is off it
LIFTED = 0.008  # m


class Push:
    """One object, one pad at a straight push's distance, and things beside the way."""

    max_steps = 400

    def __init__(self, config: WordingConfig = PLAIN) -> None:
        self._config = config

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out the object and the pad that the instruction names, or others without them."""
        asked = ask(rng, instruction, readable=(GRASPABLE, PAD), drawn=(DRAWN, PAD))
        specs = [varied_object(rng, thing) for thing in asked.things]
        placed = lay_out(rng, area, specs, lambda pair: _pushable(pair, area), room=0.0)
        start, end = (np.array(item.position[:2]) for item in placed)
        ready = start - BEHIND * _unit(end - start)

        def beside(item: PlacedObject) -> bool:
            return _distance(np.array(item.position[:2]), ready, end) > LANE + item.spec.radius / 2

        objects = add_distractors(rng, area, placed, str(asked.things[0]), asked.avoid, beside)
        return asked.scene(objects, instruction or word(rng, self._config, "push", TEMPLATES, asked.things))

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Ask for the object to be pushed off the pad again, or onto it."""
        return follow_up(scene, instruction, (GRASPABLE, PAD), TEMPLATES[0], BACK)

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Whether the object lies on the pad: near its centre, not lifted, at rest.

        On the way back: whether it lies beside the pad.
        """
        if scene.moved is None or scene.target is None:
            return False
        if scene.backward:
            off = apart(state, scene.moved, scene.target) > OFF_PAD
            return off and on_table(scene, state, scene.moved)
        item, pad = state.objects[scene.moved], state.objects[scene.target]
        offset = item.position[:2] - pad.position[:2]
        lies = item.position[2] < scene.spec(scene.moved).height / 2 + LIFTED
        return bool(np.hypot(*offset) < ON_PAD and lies) and at_rest(state, scene.moved)


def _pushable(pair: Sequence[PlacedObject], area: SceneConfig) -> bool:
    """Whether the pad is at a push's distance and the tip finds room behind the object."""
    start, end = (np.array(item.position[:2]) for item in pair)
    ready = start - BEHIND * _unit(end - start)
    near = NEAREST <= np.linalg.norm(end - start) <= FARTHEST
    return bool(near and (ready >= area.lower).all() and (ready <= area.upper).all())


def _unit(v: FloatArray) -> FloatArray:
    return v / max(float(np.linalg.norm(v)), 1e-9)


def _distance(point: FloatArray, start: FloatArray, end: FloatArray) -> float:
    """Return the distance of a point from a segment, m."""
    along = end - start
    share = np.clip(np.dot(point - start, along) / np.dot(along, along), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * along))
