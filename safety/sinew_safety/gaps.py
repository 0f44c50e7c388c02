"""All the distances that a barrier keeps, numbered: pairs of shapes first, then the tip to its walls."""

from __future__ import annotations

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import FloatArray

from sinew_safety.collision_model import TABLE, TIP, CollisionModel, Indices, Nearest
from sinew_safety.config import CONSTRAINTS, Obstacle
from sinew_safety.pairs import find_pairs

WALLS = ("floor", "x_lower", "y_lower", "z_lower", "x_upper", "y_upper", "z_upper")
INWARD = np.array([(0, 0, 1), *np.eye(3), *-np.eye(3)], dtype=np.float64)  # normals of the walls
STRETCH = 1.2  # on bounds of how much a step changes a distance: levers grow while the arm moves


class Gaps:
    """The distances at a pose, which `at` sets; one thread uses them at a time.

    Wherever numbers of distances are given, they must be ascending.
    """

    def __init__(self, hardware: Hardware, obstacles: tuple[Obstacle, ...]) -> None:
        robot, box = hardware.robot, hardware.config.safety
        self._shapes = shapes = CollisionModel(robot, obstacles)
        self.pairs = pairs = find_pairs(robot, shapes)
        self._count = len(pairs.first)
        constraints = pairs.constraint + ("walls",) * len(WALLS)
        self.constraint = np.array([CONSTRAINTS.index(name) for name in constraints], dtype=np.intp)
        names = zip(constraints, pairs.label + WALLS, strict=True)
        self.reasons = tuple(f"barrier:{constraint}:{label}" for constraint, label in names)
        self.all = np.arange(len(constraints))
        self._walls = np.array([box.floor, *box.workspace_lower, *np.negative(box.workspace_upper)])
        # To a wall the tip is like a pair with the table, which stands as still.
        still, tip = shapes.names.index(TABLE), shapes.names.index(TIP)
        self._first = np.append(pairs.first, [still] * len(WALLS))
        self._second = np.append(pairs.second, [tip] * len(WALLS))
        # Commands that carry both shapes of a pair do not change its distance.
        one, other = shapes.commands[self._first], shapes.commands[self._second]
        self._first_alone, self._second_alone = (one & ~other) * STRETCH, (other & ~one) * STRETCH

        # Over a turn, no point of a shape leaves another one of it by more than the turn times its size.
        self.turning = 2.0 * (
            shapes.radius[self._first, None] * (self._first_alone * shapes.turns[self._first])
            + shapes.radius[self._second, None] * (self._second_alone * shapes.turns[self._second])
        )

    def at(self, position: FloatArray) -> None:
        """Put the robot at joint positions (n,)."""
        self._shapes.pose(position)

    def at_least(self) -> FloatArray:
        """Return a lower bound of every distance, (all,) m; cheap."""
        bound = self._shapes.at_least(self._first, self._second)
        bound[self._count :] = INWARD @ self._shapes.tip - self._walls
        return bound

    def levers(self) -> FloatArray:
        """Return by how much each command can change every distance, at most, (all, n) m/rad or m/m."""
        levers = self._shapes.levers()
        most: FloatArray = levers[self._first] * self._first_alone + levers[self._second] * self._second_alone
        return most

    def distances(self, which: Indices) -> FloatArray:
        """Return some distances, (k,) m."""
        pairs, walls = self._split(which)
        found = np.empty(len(which))
        found[: len(pairs)] = self._shapes.distances(self._first[pairs], self._second[pairs])
        if len(walls):
            found[len(pairs) :] = INWARD[walls] @ self._shapes.tip - self._walls[walls]
        return found

    def nearest(self, which: Indices) -> Nearest:
        """Return some distances with their gradients."""
        shapes = self._shapes
        pairs, walls = self._split(which)
        distance, start, end, normal = shapes.witnesses(self._first[pairs], self._second[pairs])
        if len(walls):
            tips = np.zeros((len(walls), 3)) + shapes.tip
            distance = np.concatenate([distance, INWARD[walls] @ shapes.tip - self._walls[walls]])
            start, end = np.concatenate([start, tips]), np.concatenate([end, tips])
            normal = np.concatenate([normal, INWARD[walls]])
        gradient = shapes.approach(self._first[which], self._second[which], start, end, normal)
        return Nearest(distance, gradient)

    def _split(self, which: Indices) -> tuple[Indices, Indices]:
        """Return which pairs and which walls are meant."""
        at = int(which.searchsorted(self._count))
        return which[:at], which[at:] - self._count
