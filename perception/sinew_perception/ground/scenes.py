"""Random table scenes to learn from: things, colours, places, light, camera, and what the arm does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import CameraModel, FloatArray
from sinew_sim.layout import place
from sinew_sim.scene import COLOURS, TABLE_RGB, ObjectSpec, PlacedObject, Shape, Triple

from sinew_perception.ground.lexicon import FAMILIES, SHAPES, Word

MOST = 7  # objects
ROOM = 0.012  # m between two, at least
SIZES = {  # mm: widths and heights; where the height is None the thing is as high as wide
    "cube": ((23, 34), None),
    "cylinder": ((22, 32), (26, 44)),
    "sphere": ((25, 34), None),
    "bowl": ((84, 112), (24, 34)),
    "pad": ((70, 105), (1, 2)),
}
USUAL = {"cube": (25, 30), "cylinder": (24, 28), "sphere": (28, 31), "bowl": (100, 100), "pad": (90, 90)}


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of a scene and the family of its colour."""

    placed: PlacedObject
    family: str

    @property
    def shape(self) -> str:
        """Its shape."""
        return self.placed.spec.shape


@dataclass(frozen=True, slots=True)
class Light:
    """A directional light and what comes from everywhere; colours as triples, 0 to 1."""

    direction: Triple
    ambient: Triple
    diffuse: Triple


@dataclass(frozen=True, slots=True)
class Look:
    """Everything of a picture that is not the objects; None keeps the simulator's own."""

    table: Triple
    light: Light | None
    camera: CameraModel
    joints: FloatArray  # (n,)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one picture shows."""

    things: tuple[Thing, ...]
    look: Look


def draw_picture(
    rng: np.random.Generator, hardware: Hardware, colours: Sequence[Word], own_colours: bool = True
) -> Picture:
    """Return a random picture; a third look as the simulator's tasks, if `own_colours` in their colours."""
    plain = rng.uniform() < 0.35
    things = _things(rng, hardware, colours, plain and own_colours)
    camera = hardware.cameras["top"]
    joints = _joints(rng, hardware)
    if plain:
        look = Look(TABLE_RGB, None, camera, hardware.robot.home if rng.uniform() < 0.6 else joints)
    else:
        look = Look(_table(rng), _light(rng), _moved(rng, camera), joints)
    return Picture(_rearranged(rng, hardware, things, look.joints), look)


def _things(
    rng: np.random.Generator, hardware: Hardware, colours: Sequence[Word], plain: bool
) -> tuple[Thing, ...]:
    kinds = _kinds(rng, list(COLOURS) if plain else list(FAMILIES))
    area = hardware.config.scene
    placed: list[PlacedObject] = []
    things: list[Thing] = []
    for i, (family, shape) in enumerate(kinds):
        rgb = COLOURS[family] if plain else _tinted(rng, [c for c in colours if c.family == family])
        spec = _spec(rng, f"thing {i}", shape, family, rgb, plain)
        item = place(rng, area, spec, placed, ROOM)
        if item is not None:
            placed.append(item)
            things.append(Thing(item, family))
    return tuple(things)


def _kinds(rng: np.random.Generator, families: Sequence[str]) -> list[tuple[str, Shape]]:
    """Return families and shapes; later ones often share one of the two, or both, with an earlier one."""
    shapes: list[Shape] = ["cube", "cylinder", "sphere", "bowl", "pad"]
    weights = np.array([0.27, 0.2, 0.19, 0.2, 0.14])
    kinds: list[tuple[str, Shape]] = []
    for _ in range(int(rng.integers(2, MOST + 1))):
        family, shape = str(rng.choice(families)), shapes[int(rng.choice(5, p=weights))]
        if kinds:
            like_family, like_shape = kinds[int(rng.integers(len(kinds)))]
            share = rng.uniform()
            family = like_family if share < 0.25 else family
            shape = like_shape if 0.17 < share < 0.45 else shape
        if sum(kind in ("bowl", "pad") for _, kind in kinds) > 2 and shape in ("bowl", "pad"):
            shape = shapes[int(rng.integers(3))]
        kinds.append((family, shape))
    return kinds


def _spec(
    rng: np.random.Generator, name: str, shape: Shape, family: str, rgb: Triple, plain: bool
) -> ObjectSpec:
    widths, heights = (USUAL[shape] if plain else SIZES[shape][0]), SIZES[shape][1]
    width = float(rng.uniform(*widths)) / 1000
    height = width if heights is None else float(rng.uniform(*heights)) / 1000
    if plain and shape in ("bowl", "pad"):
        height = 0.028 if shape == "bowl" else 0.001
    return ObjectSpec(name, shape, family, rgb, (width, width, height), 0.03)


def _tinted(rng: np.random.Generator, names: Sequence[Word]) -> Triple:
    rgb = names[int(rng.integers(len(names)))].rgb
    assert rgb is not None
    return _triple(np.clip(np.array(rgb) + rng.normal(0, 0.015, 3), 0, 1))


def _triple(values: FloatArray) -> Triple:
    r, g, b = (float(value) for value in values)
    return (r, g, b)


def _table(rng: np.random.Generator) -> Triple:
    """Return greys, beiges and light wood, from dark to light."""
    value, warm = rng.uniform(0.28, 0.88), rng.uniform(-0.02, 0.14)
    return _triple(np.clip([value, value * (1 - warm / 2), value * (1 - warm * 1.3)], 0, 1))


def _light(rng: np.random.Generator) -> Light:
    x, y = rng.uniform(-0.7, 0.7, 2)
    tint = 1 + rng.normal(0, 0.03, 3)
    ambient, diffuse = rng.uniform(0.35, 0.6), rng.uniform(0.35, 0.75)
    return Light((float(x), float(y), -1.0), _triple(ambient * tint), _triple(diffuse * tint))


def _moved(rng: np.random.Generator, camera: CameraModel) -> CameraModel:
    """Return the camera a few centimetres, degrees and percent of focal length away."""
    angles = np.radians(rng.normal(0, 2.0, 3).clip(-5, 5))
    X = camera.X_LC.copy()
    X[:3, :3] = X[:3, :3] @ _rotation(angles)
    X[:3, 3] += rng.normal(0, 0.015, 3).clip(-0.04, 0.04)
    zoom = float(rng.uniform(0.92, 1.06))
    return replace(camera, fx=camera.fx * zoom, fy=camera.fy * zoom, X_LC=X)


def _rotation(angles: FloatArray) -> FloatArray:
    """Return the rotation (3, 3) of small angles about x, y and z, in that order."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    Rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    Ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    Rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    R: FloatArray = Rz @ Ry @ Rx
    return R


def _joints(rng: np.random.Generator, hardware: Hardware) -> FloatArray:
    """Return the arm at home, or anywhere with the tip over the scene's area."""
    robot, area = hardware.robot, hardware.config.scene
    if rng.uniform() < 0.55:
        return np.clip(robot.home + rng.normal(0, 0.03, len(robot.home)), robot.lower, robot.upper)
    for _ in range(300):
        wanted = np.clip(robot.home + rng.normal(0.0, 0.4, len(robot.home)), robot.lower, robot.upper)
        x, y, z = robot.chain.pose(robot.tip_link, wanted)[:3, 3]
        over = area.lower[0] - 0.03 <= x <= area.upper[0] + 0.03 and abs(y) <= area.upper[1] + 0.03
        if over and 0.05 < z < 0.2:
            return wanted
    return robot.home


def _rearranged(
    rng: np.random.Generator, hardware: Hardware, things: tuple[Thing, ...], joints: FloatArray
) -> tuple[Thing, ...]:
    """Put a small thing into the hand, into a bowl, or on another, now and then."""
    small = [i for i, thing in enumerate(things) if thing.shape in SHAPES[:3]]
    draw = rng.uniform()
    if not small or draw > 0.25:
        return things
    i = small[int(rng.integers(len(small)))]
    if draw < 0.1:
        tip = hardware.robot.chain.pose(hardware.robot.tip_link, joints)[:3, 3]
        return _with(things, i, _triple(tip))
    below = [thing for thing in things if thing.shape in ("bowl", "pad", "cube") and thing is not things[i]]
    if not below:
        return things
    base = below[int(rng.integers(len(below)))].placed
    floor = 0.004 if base.spec.shape == "bowl" else base.spec.height
    offset = rng.normal(0, 0.3 * base.spec.size[0] / 4, 2)
    x, y, _ = base.position
    return _with(
        things, i, (x + float(offset[0]), y + float(offset[1]), floor + things[i].placed.spec.height / 2)
    )


def _with(things: tuple[Thing, ...], i: int, position: Triple) -> tuple[Thing, ...]:
    moved = replace(things[i], placed=replace(things[i].placed, position=position))
    return (*things[:i], moved, *things[i + 1 :])
