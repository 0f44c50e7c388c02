"""The MuJoCo model of a robot's collision shapes with the table, obstacles and the walls of its workspace."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.hardware import SafetyConfig
from sinew_core.kinematics import rpy_matrix
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_safety.config import Obstacle

# The names of what is not the robot; those of an obstacle and of a wall follow.
TABLE, OBSTACLE, WALL, TIP = "table", "obstacle ", "wall ", "tip"
WALLS = ("floor", "x_lower", "y_lower", "z_lower", "x_upper", "y_upper", "z_upper")
Mask = npt.NDArray[np.bool_]
POINT = 1e-9  # m, the radius of a point
PLANE, BOX = mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX


def collision_model(robot: Robot, box: SafetyConfig, obstacles: Sequence[Obstacle]) -> mujoco.MjModel:
    """Return the robot without what is there to be looked at only, among what it must not touch.

    The robot's own shapes have no name. The tip is a point, which walls hold back and nothing else.
    """
    try:
        spec = mujoco.MjSpec.from_file(str(robot.urdf))
    except ValueError as error:
        raise ConfigError(f"{robot.urdf}: MuJoCo cannot read it: {error}") from error
    for geom in list(spec.geoms):
        if not geom.contype and not geom.conaffinity:
            spec.delete(geom)
        else:
            geom.name = ""
    if not list(spec.geoms):
        raise ConfigError(f"{robot.urdf}: has no collision geometry, so there is no distance to keep.")
    spec.body(robot.tip_link).add_geom(name=TIP, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(POINT, 0.0, 0.0))
    _add(spec, TABLE, PLANE, (0.0, 0.0, 1.0), np.zeros(3), np.eye(3))
    for name, point, normal in _walls(box):
        _add(spec, WALL + name, PLANE, (0.0, 0.0, 1.0), point, _turned_to(normal))
    for obstacle in obstacles:
        half, rotation = np.divide(obstacle.size, 2), rpy_matrix(*obstacle.rpy)
        _add(spec, OBSTACLE + obstacle.name, BOX, half, np.array(obstacle.position), rotation)
    return spec.compile()


def _walls(box: SafetyConfig) -> list[tuple[str, FloatArray, FloatArray]]:
    """Return name, a point (3,) m and the inward normal (3,) of every wall of the tip's workspace."""
    lower, upper, along = np.array(box.workspace_lower), np.array(box.workspace_upper), np.eye(3)
    floor = np.array([0.0, 0.0, box.floor])
    points = [floor, lower, lower, lower, upper, upper, upper]
    return list(zip(WALLS, points, [along[2], *along, *-along], strict=True))


def _turned_to(normal: FloatArray) -> FloatArray:
    """Return a rotation (3, 3) whose z axis is a given one (3,) of the six along the axes."""
    x = np.roll(normal, 1)
    return np.column_stack([x, np.cross(normal, x), normal])


def _add(
    spec: mujoco.MjSpec,
    name: str,
    kind: int,
    size: Sequence[float] | FloatArray,
    position: FloatArray,
    rotation: FloatArray,
) -> None:
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, rotation.ravel())
    spec.worldbody.add_geom(name=name, type=kind, size=size, pos=position, quat=quaternion)


def joint_map(robot: Robot, model: mujoco.MjModel) -> tuple[FloatArray, FloatArray]:
    """Return M (joints, n) and b with joint positions = M @ command + b; followers obey their leaders."""
    matrix, offset = np.zeros((model.njnt, len(robot.joint_names))), np.zeros(model.njnt)
    for row in range(model.njnt):
        name = model.joint(row).name
        leader, scale, offset[row] = robot.mimic.get(name, (name, 1.0, 0.0))
        matrix[row, robot.joint_names.index(leader)] = scale
    return matrix, offset


def moving_joints(model: mujoco.MjModel) -> Mask:
    """Return whether each joint moves each shape, (shapes, joints)."""
    moves = np.zeros((model.nbody, model.njnt), dtype=bool)
    for body in range(1, model.nbody):
        moves[body] = moves[model.body_parentid[body]]
        first = model.body_jntadr[body]
        moves[body, first : first + model.body_jntnum[body]] = True
    of_shapes: Mask = moves[model.geom_bodyid]
    return of_shapes
