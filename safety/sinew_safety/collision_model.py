"""A robot's collision shapes with table and obstacles in MuJoCo: distances and how joints change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.kinematics import rpy_matrix
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_safety.config import Obstacle

TABLE, OBSTACLE, TIP = "table", "obstacle ", "tip"  # shapes with a name; an obstacle's own follows
POINT = 1e-9  # m, the radius of a point
FAR = 10.0  # m, to which distances are sought
TOUCHING = 1e-9  # m, below which nearest points give no direction
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Signed distances, and how they change with the commanded joints."""

    distance: FloatArray  # (k,) m, negative where two overlap
    gradient: FloatArray  # (k, n) m/rad or m/m


class CollisionModel:
    """The robot's collision shapes, the table plane and the obstacles; one thread uses it at a time.

    `pose` puts the robot somewhere; everything else is about that pose. Shapes are numbered; one of them
    is the gripper's tip, a point.
    """

    def __init__(self, robot: Robot, obstacles: Sequence[Obstacle] = ()) -> None:
        self.model = model = _collision_spec(robot, obstacles).compile()
        self._data = data = mujoco.MjData(model)
        self.names = [model.geom(i).name for i in range(model.ngeom)]  # empty for the robot's own
        self.links = [model.body(body).name for body in model.geom_bodyid]
        self._map, self._offset = _joint_map(robot, [model.joint(i).name for i in range(model.njnt)])
        self.joints = _moves(model)[model.geom_bodyid]  # (shapes, joints): which move which
        self.commands = (self.joints @ np.abs(self._map)) > 0  # (shapes, n): the same, followers with leaders
        hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        self.turns = ((self.joints & hinge) @ np.abs(self._map)) > 0  # (shapes, n): which turn which
        self._moved = self.joints.astype(np.float64)
        self.radius = model.geom_rbound.copy()  # m, of each shape about its centre
        self._plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        self._hinge = (model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE)[:, None]
        # Views, which every pose renews, and memory to work in.
        self._centre, self._anchor, self._axis = data.geom_xpos, data.xanchor, data.xaxis
        self.tip: FloatArray = self._centre[self.names.index(TIP)]  # (3,) m
        self._points = np.zeros((model.ngeom**2, 6))

    def pose(self, position: FloatArray) -> None:
        """Put the robot at joint positions (n,), and with it the joints that follow others."""
        self._data.qpos[:] = self._map @ position + self._offset
        mujoco.mj_kinematics(self.model, self._data)

    def at_least(self, first: Indices, second: Indices) -> FloatArray:
        """Return a lower bound (k,) m of distances, from spheres about the shapes; cheap."""
        between = self._centre[second] - self._centre[first]
        apart = np.sqrt((between * between).sum(axis=1))
        plane = self._plane[first]
        apart[plane] = between[plane, 2]  # the table's
        bound: FloatArray = apart - self.radius[first] - self.radius[second]
        return bound

    def levers(self) -> FloatArray:
        """Return how far each command moves the farthest point of each shape, (shapes, n) m/rad or m/m."""
        arm = self._centre[:, None, :] - self._anchor
        lever = np.sqrt((arm * arm).sum(axis=2)) + self.radius[:, None]
        levers: FloatArray = (np.where(self._hinge.T, lever, 1.0) * self._moved) @ np.abs(self._map)
        return levers

    def distances(self, first: Indices, second: Indices) -> list[float]:
        """Return the signed distances (k,) m of pairs of shapes."""
        model, data, measure = self.model, self._data, mujoco.mj_geomDistance
        return [
            measure(model, data, a, b, FAR, None)
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ]

    def witnesses(
        self, first: Indices, second: Indices
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return distances (k,), the nearest points (k, 3) of both shapes, and unit normals (k, 3).

        Along its normal the second shape of a pair moves away from the first. Where two just touch, the
        nearest points are one, and the line through the centres serves.
        """
        model, data, measure = self.model, self._data, mujoco.mj_geomDistance
        points = self._points[: len(first)]
        pairs = zip(first.tolist(), second.tolist(), points, strict=True)
        distance = np.array([measure(model, data, a, b, FAR, out) for a, b, out in pairs], dtype=np.float64)
        start, end = points[:, :3], points[:, 3:]
        touching = np.abs(distance) < TOUCHING
        if not touching.any():
            return distance, start, end, (end - start) / distance[:, None]
        normal = (end - start) / np.where(touching, 1.0, distance)[:, None]
        line = self._centre[second[touching]] - self._centre[first[touching]]
        line[self._plane[first[touching]]] = (0.0, 0.0, 1.0)
        normal[touching] = line / np.maximum(np.sqrt((line * line).sum(axis=1)), TOUCHING)[:, None]
        return distance, start, end, normal

    def approach(
        self, first: Indices, second: Indices, start: FloatArray, end: FloatArray, normal: FloatArray
    ) -> FloatArray:
        """Return how fast points of second shapes leave points of first ones along normals, (k, n)."""
        k = len(first)
        motion = self._motions(np.concatenate([start, end]), np.concatenate([normal, normal]))
        apart = motion[k:] * self._moved[second] - motion[:k] * self._moved[first]
        gradient: FloatArray = apart @ self._map
        return gradient

    def nearest(self, first: Indices, second: Indices) -> Nearest:
        """Return the signed distances of pairs of shapes with their gradients."""
        distance, start, end, normal = self.witnesses(first, second)
        return Nearest(distance, self.approach(first, second, start, end, normal))

    def _motions(self, points: FloatArray, normals: FloatArray) -> FloatArray:
        """Return how fast points (k, 3) move along normals (k, 3) with every joint: (k, joints).

        For a hinge with axis a through o that is n . (a x (p - o)) = a . (p x n) + n . (o x a).
        """
        turning = np.where(self._hinge, self._axis, 0.0)
        moment = np.where(self._hinge, _cross(self._anchor, self._axis), self._axis)
        motions: FloatArray = _cross(points, normals) @ turning.T + normals @ moment.T
        return motions


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """np.cross of rows (k, 3), at a fifth of its cost for a handful of them."""
    (x, y, z), (u, v, w) = a.T, b.T
    product = np.empty((3, len(a)))
    product[0], product[1], product[2] = y * w - z * v, z * u - x * w, x * v - y * u
    return product.T


def _collision_spec(robot: Robot, obstacles: Sequence[Obstacle]) -> mujoco.MjSpec:
    try:
        spec = mujoco.MjSpec.from_file(str(robot.urdf))
    except ValueError as error:
        raise ConfigError(f"{robot.urdf}: MuJoCo cannot read it: {error}") from error
    for geom in list(spec.geoms):
        if not geom.contype and not geom.conaffinity:  # there to be looked at only
            spec.delete(geom)
    if not list(spec.geoms):
        raise ConfigError(f"{robot.urdf}: has no collision geometry, so there is no distance to keep.")
    for geom in spec.geoms:
        geom.name = ""
    spec.worldbody.add_geom(name=TABLE, type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0.0, 0.0, 1.0))
    spec.body(robot.tip_link).add_geom(name=TIP, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(POINT, 0.0, 0.0))
    for obstacle in obstacles:
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, rpy_matrix(*obstacle.rpy).ravel())
        box = spec.worldbody.add_geom(name=OBSTACLE + obstacle.name, type=mujoco.mjtGeom.mjGEOM_BOX)
        box.size, box.pos, box.quat = np.divide(obstacle.size, 2), obstacle.position, quaternion
    return spec


def _joint_map(robot: Robot, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return M (joints, n) and b with joint positions = M @ command + b; followers obey their leaders."""
    matrix, offset = np.zeros((len(names), len(robot.joint_names))), np.zeros(len(names))
    for row, name in enumerate(names):
        leader, scale, offset[row] = robot.mimic.get(name, (name, 1.0, 0.0))
        matrix[row, robot.joint_names.index(leader)] = scale
    return matrix, offset


def _moves(model: mujoco.MjModel) -> npt.NDArray[np.bool_]:
    """Return whether each joint moves each body, (bodies, joints)."""
    moves = np.zeros((model.nbody, model.njnt), dtype=bool)
    for body in range(1, model.nbody):
        moves[body] = moves[model.body_parentid[body]]
        first = model.body_jntadr[body]
        moves[body, first : first + model.body_jntnum[body]] = True
    return moves
