"""All the distances that a barrier keeps, numbered."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray

from sinew_safety.collision_model import CollisionModel, Indices, Witnesses
from sinew_safety.config import CONSTRAINTS, Obstacle
from sinew_safety.pairs import find_pairs

STRETCH = 1.2  # on bounds of how much a step changes a distance: levers grow while the arm moves


@dataclass(frozen=True, slots=True)
class Nearest:
    """Signed distances, and how they change with the commanded joints."""

    distance: FloatArray  # (k,) m, negative where two overlap
    gradient: FloatArray  # (k, n) m/rad or m/m


class Gaps:
    """The distances at a pose, which `at` sets; one thread uses them at a time."""

    def __init__(self, hardware: Hardware, obstacles: tuple[Obstacle, ...]) -> None:
        robot = hardware.robot
        self.shapes = shapes = CollisionModel(robot, hardware.config.safety, obstacles)
        self.pairs = pairs = find_pairs(robot, shapes)
        self.constraint = np.array([CONSTRAINTS.index(name) for name in pairs.constraint], dtype=np.intp)
        names = zip(pairs.constraint, pairs.label, strict=True)
        self.reasons = tuple(f"barrier:{constraint}:{label}" for constraint, label in names)
        self.all = np.arange(len(pairs.first))
        # Commands that carry both shapes of a pair do not change its distance.
        one, other = shapes.commands[pairs.first], shapes.commands[pairs.second]
        self._first_alone, self._second_alone = (one & ~other) * STRETCH, (other & ~one) * STRETCH
        # Over a turn, no point of a shape leaves another one of it by more than the turn times its size.
        self.turning = 2.0 * (
            shapes.radius[pairs.first, None] * (self._first_alone * shapes.turns[pairs.first])
            + shapes.radius[pairs.second, None] * (self._second_alone * shapes.turns[pairs.second])
        )  # (all, n) m/rad
        self._plane = shapes.plane[pairs.first]
        self._core, self._coat = _cores(shapes, pairs.first)
        self._coat += shapes.radius[pairs.second]
        self.at(robot.home)
        moving = shapes.moving[pairs.first, None, None]
        self._frame = np.where(moving, np.eye(3), shapes.frame[pairs.first])

    def at(self, position: FloatArray) -> None:
        """Put the robot at joint positions (n,)."""
        self.shapes.pose(position)

    def at_least(self) -> FloatArray:
        """Return a lower bound of every distance that is not negative, (all,) m; cheap.

        Bounded are the distances of a sphere about the second shape from a sphere about the first, or,
        where that stands still, from a plane or the box around it.
        """
        shapes, pairs = self.shapes, self.pairs
        between = shapes.centre[pairs.second] - shapes.centre[pairs.first]
        local = (between[:, None, :] @ self._frame)[:, 0]
        beyond = np.maximum(np.abs(local) - self._core, 0.0)
        apart = np.sqrt((beyond * beyond).sum(axis=1))
        apart[self._plane] = local[self._plane, 2]
        bound: FloatArray = apart - self._coat
        return bound

    def levers(self) -> FloatArray:
        """Return by how much each command can change every distance, at most, (all, n) m/rad or m/m."""
        levers, pairs = self.shapes.levers(), self.pairs
        most: FloatArray = levers[pairs.first] * self._first_alone + levers[pairs.second] * self._second_alone
        return most

    def distances(self, which: Indices) -> FloatArray:
        """Return some distances, (k,) m."""
        return np.array(self.shapes.distances(self.pairs.first[which], self.pairs.second[which]))

    def witnesses(self, which: Indices) -> Witnesses:
        """Return some distances with the points between which they are."""
        return self.shapes.witnesses(self.pairs.first[which], self.pairs.second[which])

    def nearest(self, which: Indices, near: Witnesses | None = None) -> Nearest:
        """Return some distances with their gradients; `near` is what is known of them at this pose."""
        first, second = self.pairs.first[which], self.pairs.second[which]
        near = self.shapes.witnesses(first, second) if near is None else near
        return Nearest(near.distance, self.shapes.gradients(first, second, near))


def _cores(shapes: CollisionModel, first: Indices) -> tuple[FloatArray, FloatArray]:
    """Return half the edges (k, 3) m of boxes around shapes that stand still, and radii (k,) of others."""
    model = shapes.model
    size, kind = model.geom_size[first], model.geom_type[first]
    half = np.zeros((len(first), 3))
    box, cylinder = kind == mujoco.mjtGeom.mjGEOM_BOX, kind == mujoco.mjtGeom.mjGEOM_CYLINDER
    half[box] = size[box]
    half[cylinder] = size[cylinder][:, [0, 0, 1]]
    boxed = (box | cylinder) & ~shapes.moving[first]
    return np.where(boxed[:, None], half, 0.0), np.where(boxed, 0.0, shapes.radius[first])
