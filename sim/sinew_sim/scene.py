"""Scenes that any simulator can build: objects as primitive parts, where they stand and how they move.

An object's frame has its origin in the middle of its bounding box and z up. Metres, kilograms, the
robot's base frame (z = 0 on the table), quaternions as (w, x, y, z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sinew_core.types import FloatArray

Shape = Literal["cube", "cylinder", "sphere", "bowl", "pad"]
Triple = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

UPRIGHT: Quaternion = (1.0, 0.0, 0.0, 0.0)
COLOURS: Mapping[str, Triple] = {  # saturated and well apart in hue, which is how a camera tells them
    "red": (0.85, 0.09, 0.10),
    "orange": (0.96, 0.45, 0.03),
    "yellow": (0.94, 0.82, 0.06),
    "green": (0.10, 0.62, 0.20),
    "blue": (0.08, 0.28, 0.85),
    "purple": (0.52, 0.14, 0.72),
}
TABLE_RGB: Triple = (0.80, 0.78, 0.74)  # grey-beige: no object is desaturated
TABLE_FRICTION = 0.7  # sliding, between an object and the table
FINGER_FRICTION = 1.5  # sliding, between an object and the robot's fingers
TORSIONAL_FRICTION = 0.01  # m
ROLLING_FRICTION = 0.0005  # m; a sphere comes to rest

BOWL_SIDES = 16
BOWL_WALL = 0.004  # m
BOWL_LEAN = np.radians(14)  # of the wall, outwards
PAD_HEIGHT = 0.001  # m
GRASPABLE: tuple[Shape, ...] = ("cube", "cylinder", "sphere")


@dataclass(frozen=True, slots=True)
class Part:
    """One primitive in its object's frame.

    `size` holds half extents of a box, radius and half height (0 last) of an upright cylinder, and the
    radius (0, 0 last) of a sphere.
    """

    kind: Literal["box", "cylinder", "sphere"]
    size: Triple
    position: Triple = (0.0, 0.0, 0.0)
    quaternion: Quaternion = UPRIGHT


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """What an object is; `size` is its bounding box at yaw 0, full lengths along x, y and z."""

    name: str  # colour and shape, unique in its scene: "red cube"
    shape: Shape
    colour: str
    rgb: Triple  # 0 to 1
    size: Triple  # m
    mass: float  # kg

    @property
    def static(self) -> bool:
        """Whether it stays where it was put: bowls and pads do."""
        return self.shape in ("bowl", "pad")

    @property
    def collides(self) -> bool:
        """Whether things bump into it; a pad is only seen, so that nothing catches at its rim."""
        return self.shape != "pad"

    @property
    def height(self) -> float:
        """The length along z, m."""
        return self.size[2]

    @property
    def radius(self) -> float:
        """The radius of the circle around the footprint, m."""
        return self.size[0] / 2 * (np.sqrt(2.0) if self.shape == "cube" else 1.0)

    @property
    def inner_radius(self) -> float:
        """The radius of a bowl's opening at its rim, m."""
        return self.size[0] / 2 - BOWL_WALL

    def parts(self) -> tuple[Part, ...]:
        """Return the primitives that simulators build the body from."""
        half = self.size[0] / 2
        if self.shape == "cube":
            return (Part("box", (half, self.size[1] / 2, self.height / 2)),)
        if self.shape == "sphere":
            return (Part("sphere", (half, 0.0, 0.0)),)
        if self.shape == "bowl":
            return _bowl_parts(half, self.height)
        return (Part("cylinder", (half, self.height / 2, 0.0)),)


def _bowl_parts(radius: float, height: float) -> tuple[Part, ...]:
    """A disc below and a ring of boxes that lean outwards, the outer rim at `radius`."""
    spread = height * np.tan(BOWL_LEAN)
    middle = radius - spread / 2 - BOWL_WALL / 2  # of a wall, halfway up
    half_length = (radius + BOWL_WALL) * np.tan(np.pi / BOWL_SIDES)
    half_height = height / 2 / np.cos(BOWL_LEAN) - BOWL_WALL / 4
    foot = radius - spread - BOWL_WALL / 2
    base = Part("cylinder", (foot, BOWL_WALL / 2, 0.0), (0.0, 0.0, (BOWL_WALL - height) / 2))
    angles = np.arange(BOWL_SIDES) * 2 * np.pi / BOWL_SIDES
    walls = (
        Part(
            "box",
            (BOWL_WALL / 2, half_length, half_height),
            (middle * np.cos(a), middle * np.sin(a), 0.0),
            _turned_and_leaned(a),
        )
        for a in angles
    )
    return (base, *walls)


def _turned_and_leaned(angle: float) -> Quaternion:
    """A lean about y, then a turn about z."""
    cz, sz = np.cos(angle / 2), np.sin(angle / 2)
    cy, sy = np.cos(BOWL_LEAN / 2), np.sin(BOWL_LEAN / 2)
    return (cz * cy, -sz * sy, cz * sy, sz * cy)


def make_object(colour: str, shape: Shape, width: float = 0.0, height: float = 0.0) -> ObjectSpec:
    """Return an object of the usual proportions; zero width or height means the usual one."""
    usual: Mapping[str, tuple[float, float, float]] = {  # m, m, kg
        "cube": (0.028, width or 0.028, 0.030),
        "cylinder": (0.026, 0.036, 0.028),
        "sphere": (0.030, width or 0.030, 0.025),
        "bowl": (0.100, 0.028, 0.300),
        "pad": (0.090, PAD_HEIGHT, 0.050),
    }
    w, h, mass = usual[shape]
    w, h = width or w, height or h
    return ObjectSpec(f"{colour} {shape}", shape, colour, COLOURS[colour], (w, w, h), mass)


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """An object where a scene begins with it."""

    spec: ObjectSpec
    position: Triple
    yaw: float  # rad about +z

    @property
    def quaternion(self) -> Quaternion:
        """The yaw as a quaternion."""
        return (float(np.cos(self.yaw / 2)), 0.0, 0.0, float(np.sin(self.yaw / 2)))


@dataclass(frozen=True, slots=True)
class Scene:
    """What lies on the table and what is asked.

    `moved` and `target` name the objects that success is judged by; `moved` is None where the
    instruction cannot be read, and then nothing counts as success. `backward`: the instruction undoes what
    the task is about, as "take the cube out of the bowl" does.
    """

    objects: tuple[PlacedObject, ...]
    instruction: str
    moved: str | None
    target: str | None = None
    backward: bool = False

    def spec(self, name: str) -> ObjectSpec:
        """Return the object of that name."""
        return next(placed.spec for placed in self.objects if placed.spec.name == name)


@dataclass(frozen=True, slots=True)
class ObjectState:
    """Where an object is and how fast."""

    position: FloatArray  # (3,) m
    quaternion: FloatArray  # (4,)
    velocity: FloatArray  # (3,) m/s

    @property
    def speed(self) -> float:
        """The length of the velocity, m/s."""
        return float(np.linalg.norm(self.velocity))


@dataclass(frozen=True, slots=True)
class SceneState:
    """The simulator's own truth, for success tests, benches and the state observation."""

    objects: Mapping[str, ObjectState]
    tip: FloatArray  # (3,) m
    aperture: float  # 0 closed on nothing, 1 open


def names(placed: Sequence[PlacedObject]) -> set[str]:
    """Return the names of the objects."""
    return {item.spec.name for item in placed}
