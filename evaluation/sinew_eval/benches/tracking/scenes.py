"""A scene for tracking: two cubes of one colour and one of another, which no sentence tells apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sinew_core.hardware import SceneConfig
from sinew_sim.language import Thing
from sinew_sim.layout import lay_out, varied_object
from sinew_sim.scene import COLOURS, Scene, SceneState

SECOND = " 2"  # ends the name of the second of two alike, as in perception's names


class TwoAlike:
    """Nothing is asked, nothing succeeds."""

    max_steps = 400

    def sample(self, rng: np.random.Generator, instruction: str, area: SceneConfig) -> Scene:
        """Lay out three cubes, two of them of one colour."""
        pair, other = (str(colour) for colour in rng.choice(list(COLOURS), 2, replace=False))
        first, second, third = (varied_object(rng, Thing(colour, "cube")) for colour in (pair, pair, other))
        second = replace(second, name=second.name + SECOND)
        placed = lay_out(rng, area, [first, second, third])
        return Scene(tuple(placed), instruction, moved=None)

    def ask(self, scene: Scene, instruction: str) -> Scene:
        """Ask for nothing, still."""
        return replace(scene, instruction=instruction)

    def success(self, scene: Scene, state: SceneState) -> bool:
        """Never."""
        return False
