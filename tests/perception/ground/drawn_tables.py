"""Pictures of known scenes, drawn by the simulator's renderer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, JointState, Observation, Task
from sinew_perception.ground.rendering import PictureRenderer
from sinew_perception.ground.scenes import Look, Picture, Thing
from sinew_sim.scene import COLOURS, TABLE_RGB, PlacedObject, make_object

WHITE = (0.97, 0.97, 0.97)


@dataclass(frozen=True)
class Table:
    """Draws things on the table of one robot, the arm at home."""

    hardware: Hardware
    renderer: PictureRenderer

    def picture(self, things: list[tuple[str, str, float, float]]) -> Picture:
        """Return the picture of colours and shapes at (x, y), in the simulator's own look."""
        placed = []
        for i, (colour, shape, x, y) in enumerate(things):
            spec = make_object(colour if colour in COLOURS else "red", shape)  # type: ignore[arg-type]
            rgb = COLOURS.get(colour, WHITE)
            spec = type(spec)(f"thing {i}", spec.shape, colour, rgb, spec.size, spec.mass)
            placed.append(Thing(PlacedObject(spec, (x, y, spec.height / 2), 0.4), colour))
        look = Look(TABLE_RGB, None, self.hardware.cameras["top"], self.hardware.robot.home)
        return Picture(tuple(placed), look)

    def observe(self, things: list[tuple[str, str, float, float]]) -> Observation:
        """Return what the top camera sees of things, without any keypoints."""
        rgb, depth, _ = self.renderer.draw(self.picture(things))
        home = self.hardware.robot.home
        joints = JointState(7, home, np.zeros(len(home)))
        return Observation(7, joints, {"top": CameraFrame(7, rgb, depth)}, {}, None, {}, Task("", ""))
