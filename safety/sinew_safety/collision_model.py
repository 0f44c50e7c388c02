"""A robot at a pose: the distances of its collision shapes, and how joints change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt
from sinew_core.hardware import SafetyConfig
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_safety.config import Obstacle
from sinew_safety.shapes import PLANE, Mask, collision_model, joint_map, moving_joints

FAR = 10.0  # m, to which distances are sought
TOUCHING = 1e-9  # m, below which nearest points give no direction
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Signed distances, and the nearest points of both shapes of each pair."""

    distance: FloatArray  # (k,) m
    points: FloatArray  # (k, 6) m

    def of(self, chosen: Indices | npt.NDArray[np.bool_]) -> Witnesses:
        """Return some of them."""
        return Witnesses(self.distance[chosen], self.points[chosen])


class CollisionModel:
    """Numbered shapes of the robot and of what it must not touch; one thread uses them at a time.

    `pose` puts the robot somewhere; everything else is about that pose.
    """

    def __init__(self, robot: Robot, box: SafetyConfig, obstacles: Sequence[Obstacle] = ()) -> None:
        self.model = model = collision_model(robot, box, obstacles)
        self._data = data = mujoco.MjData(model)
        self.names = [model.geom(i).name for i in range(model.ngeom)]
        self.links = [model.body(body).name for body in model.geom_bodyid]
        self._map, self._offset = joint_map(robot, model)
        self.joints: Mask = moving_joints(model)  # (shapes, joints)
        self.moving: Mask = np.any(self.joints, axis=1)  # (shapes,): whether any does
        self.commands: Mask = (
            self.joints @ np.abs(self._map)
        ) > 0  # (shapes, n): the same, followers with leaders
        hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        self.turns: Mask = ((self.joints & hinge) @ np.abs(self._map)) > 0  # (shapes, n): those that turn it
        self.radius = model.geom_rbound.copy()  # m, of each shape about its centre
        self.plane = model.geom_type == PLANE
        self._moved, self._hinge = self.joints.astype(np.float64), hinge[:, None].astype(np.float64)
        # Views, which every pose renews.
        self.centre, self.frame = data.geom_xpos, data.geom_xmat.reshape(-1, 3, 3)
        self._anchor, self._axis = data.xanchor, data.xaxis

    def pose(self, position: FloatArray) -> None:
        """Put the robot at joint positions (n,), and with it the joints that follow others."""
        self._data.qpos[:] = self._map @ position + self._offset
        mujoco.mj_kinematics(self.model, self._data)

    def levers(self) -> FloatArray:
        """Return how far each command moves the farthest point of each shape, (shapes, n) m/rad or m/m."""
        arm = self.centre[:, None, :] - self._anchor
        lever = np.sqrt((arm * arm).sum(axis=2)) + self.radius[:, None]
        sliding = 1.0 - self._hinge.T
        levers: FloatArray = ((lever * self._hinge.T + sliding) * self._moved) @ np.abs(self._map)
        return levers

    def distances(self, first: Indices, second: Indices) -> list[float]:
        """Return the signed distances (k,) m of pairs of shapes."""
        model, data, measure = self.model, self._data, mujoco.mj_geomDistance
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        return [measure(model, data, a, b, FAR, None) for a, b in pairs]

    def witnesses(self, first: Indices, second: Indices) -> Witnesses:
        """Return the signed distances of pairs of shapes with their nearest points."""
        model, data, measure = self.model, self._data, mujoco.mj_geomDistance
        points = np.empty((len(first), 6))
        pairs = zip(first.tolist(), second.tolist(), points, strict=True)
        distance = [measure(model, data, a, b, FAR, out) for a, b, out in pairs]
        return Witnesses(np.array(distance, dtype=np.float64), points)

    def gradients(self, first: Indices, second: Indices, near: Witnesses) -> FloatArray:
        """Return how the distances of pairs change with the commands, (k, n), from their nearest points.

        A distance changes as the nearest points move apart along the line through them.
        """
        k, points = len(first), near.points
        normal = self._normals(first, second, near.distance, points[:, 3:] - points[:, :3])
        both = points.reshape(2 * k, 3)  # of the first and of the second shape in turn
        motion = self._motions(both, np.repeat(normal, 2, axis=0)).reshape(k, 2, -1)
        apart = motion[:, 1] * self._moved[second] - motion[:, 0] * self._moved[first]
        gradient: FloatArray = apart @ self._map
        return gradient

    def _normals(
        self, first: Indices, second: Indices, distance: FloatArray, between: FloatArray
    ) -> FloatArray:
        """Return unit vectors (k, 3) along which the second shape of each pair moves away from the first.

        Where two just touch, the nearest points are one, and the line through the centres serves.
        """
        touching = np.abs(distance) < TOUCHING
        if not touching.any():
            apart: FloatArray = between / distance[:, None]
            return apart
        normal: FloatArray = between / np.where(touching, 1.0, distance)[:, None]
        a, b = first[touching], second[touching]
        line = np.where(self.plane[a, None], self.frame[a, :, 2], self.centre[b] - self.centre[a])
        normal[touching] = line / np.maximum(np.sqrt((line * line).sum(axis=1)), TOUCHING)[:, None]
        return normal

    def _motions(self, points: FloatArray, normals: FloatArray) -> FloatArray:
        """Return how fast points (k, 3) move along normals (k, 3) with every joint: (k, joints).

        For a hinge with axis a through o that is n . (a x (p - o)) = a . (p x n) + n . (o x a).
        """
        turning = self._axis * self._hinge
        moment = _cross(self._anchor, turning) + (self._axis - turning)
        motions: FloatArray = _cross(points, normals) @ turning.T + normals @ moment.T
        return motions


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """np.cross of rows (k, 3), at a fifth of its cost for a handful of them."""
    (x, y, z), (u, v, w) = a.T, b.T
    product = np.empty((3, len(a)))
    product[0], product[1], product[2] = y * w - z * v, z * u - x * w, x * v - y * u
    return product.T
