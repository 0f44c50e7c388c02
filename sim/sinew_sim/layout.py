"""Laying objects out on the table: random places and yaws with room for the gripper's jaws between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import SceneConfig

from sinew_sim.language import Thing
from sinew_sim.scene import COLOURS, GRASPABLE, ObjectSpec, PlacedObject, Shape, Triple, make_object, names

JAW_ROOM = 0.048  # m beside what is to be grasped
ROOM = 0.020  # m between any others
TRIES = 100
MAX_DISTRACTORS = 3

Accepts = Callable[[PlacedObject], bool]


def varied_object(rng: np.random.Generator, thing: Thing) -> ObjectSpec:
    """Return a thing in a random size of whole millimetres that every gripper here can hold."""
    widths = {"cube": (25, 30), "cylinder": (24, 28), "sphere": (28, 31)}  # mm
    heights = {"cylinder": (30, 40)}
    return make_object(
        thing.colour,
        thing.shape,
        _millimetres(rng, widths.get(thing.shape)),
        _millimetres(rng, heights.get(thing.shape)),
    )


def _millimetres(rng: np.random.Generator, bounds: tuple[int, int] | None) -> float:
    return 0.0 if bounds is None else int(rng.integers(bounds[0], bounds[1] + 1)) / 1000


def lay_out(
    rng: np.random.Generator,
    area: SceneConfig,
    specs: Sequence[ObjectSpec],
    accepts: Callable[[Sequence[PlacedObject]], bool] = lambda placed: True,
    room: float = JAW_ROOM,
) -> list[PlacedObject]:
    """Place all objects with room (m) between them; raises ConfigError where the area is too small."""
    for _ in range(TRIES):
        placed: list[PlacedObject] = []
        for spec in specs:
            item = place(rng, area, spec, placed, room)
            if item is None:
                break
            placed.append(item)
        if len(placed) == len(specs) and accepts(placed):
            return placed
    wanted = ", ".join(spec.name for spec in specs)
    raise ConfigError(f"scene: {wanted} do not fit into {area.lower} .. {area.upper}; make the area larger.")


def place(
    rng: np.random.Generator,
    area: SceneConfig,
    spec: ObjectSpec,
    placed: Sequence[PlacedObject],
    room: float,
    accepts: Accepts = lambda item: True,
) -> PlacedObject | None:
    """Return an object somewhere with `room` (m) around it, or None after TRIES."""
    for _ in range(TRIES):
        x, y = rng.uniform(area.lower, area.upper)
        position: Triple = (float(x), float(y), spec.height / 2)
        item = PlacedObject(spec, position, float(rng.uniform(-np.pi, np.pi)))
        if all(gap(item, other) >= room for other in placed) and accepts(item):
            return item
    return None


def gap(a: PlacedObject, b: PlacedObject) -> float:
    """Return the distance between the circles around two footprints, m."""
    centres = np.hypot(a.position[0] - b.position[0], a.position[1] - b.position[1])
    return float(centres - a.spec.radius - b.spec.radius)


def add_distractors(
    rng: np.random.Generator,
    area: SceneConfig,
    placed: Sequence[PlacedObject],
    moved: str | None,
    unnamed: Sequence[Thing] = (),
    accepts: Accepts = lambda item: True,
    shapes: Sequence[Shape] = GRASPABLE,
) -> tuple[PlacedObject, ...]:
    """Add up to three objects, none like another and none of `unnamed`, clear of what is to be moved."""
    scene = list(placed)
    for _ in range(int(rng.integers(MAX_DISTRACTORS + 1))):
        taken = names(scene) | {str(thing) for thing in unnamed}
        free = [Thing(c, s) for c in COLOURS for s in shapes if f"{c} {s}" not in taken]
        spec = varied_object(rng, free[int(rng.integers(len(free)))])
        item = place(rng, area, spec, scene, ROOM, lambda item: accepts(item) and _clear(item, scene, moved))
        if item is not None:
            scene.append(item)
    return tuple(scene)


def _clear(item: PlacedObject, scene: Sequence[PlacedObject], moved: str | None) -> bool:
    return all(gap(item, other) >= JAW_ROOM for other in scene if other.spec.name == moved)
