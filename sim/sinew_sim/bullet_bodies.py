"""The bodies of a PyBullet world: the table, and the objects of a scene from their primitive parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pybullet
from pybullet_utils.bullet_client import BulletClient

from sinew_sim.scene import (
    FINGER_FRICTION,
    ROLLING_FRICTION,
    TABLE_FRICTION,
    TORSIONAL_FRICTION,
    ObjectSpec,
    Part,
    PlacedObject,
    Quaternion,
)

TABLE_HALF = (1.2, 1.2, 0.05)  # m
MAX_PARTS = 16  # in one compound shape; PyBullet crashes on more, so a bowl is two links
NO_TURN: Quaternion = (0.0, 0.0, 0.0, 1.0)
SPECK = 1e-4  # m; a body without a shape to look at would be drawn in that of its collisions

# Bullet multiplies the coefficients of the two sides.
OBJECT_FRICTION = np.sqrt(TABLE_FRICTION)  # on the table, in a bowl and on another object
# An anchor holds a contact point in place while it does not slide; without it a grasp creeps.
ANCHORED = {"frictionAnchor": 1}
TABLE_CONTACT = {"lateralFriction": TABLE_FRICTION / OBJECT_FRICTION, **ANCHORED}
ROBOT_CONTACT = {
    "lateralFriction": FINGER_FRICTION / OBJECT_FRICTION,
    "linearDamping": 0.0,
    "angularDamping": 0.0,
    "jointDamping": 0.0,  # Bullet's lacks its reaction: an opening jaw would throw the whole arm
    **ANCHORED,
}
OBJECT_CONTACT = {
    "lateralFriction": OBJECT_FRICTION,
    "spinningFriction": TORSIONAL_FRICTION,
    "linearDamping": 0.0,
    "angularDamping": 0.0,
    **ANCHORED,
}


def add_table(client: BulletClient) -> int:
    """Add the table, its top at z = 0, and return its body; cameras paint it themselves."""
    shape = client.createCollisionShape(pybullet.GEOM_BOX, halfExtents=TABLE_HALF)
    speck = client.createVisualShape(pybullet.GEOM_BOX, halfExtents=[SPECK] * 3)
    body: int = client.createMultiBody(0, shape, speck, (0.0, 0.0, -TABLE_HALF[2]))
    client.changeDynamics(body, -1, **TABLE_CONTACT)
    return body


def add_object(client: BulletClient, placed: PlacedObject) -> int:
    """Add an object where a scene begins with it, and return its body."""
    spec, parts = placed.spec, placed.spec.parts()
    groups = [parts[i : i + MAX_PARTS] for i in range(0, len(parts), MAX_PARTS)]
    collisions = [_collision_shape(client, group) if spec.collides else -1 for group in groups]
    visuals = [_visual_shape(client, group, spec) for group in groups]
    links = len(groups) - 1
    body: int = client.createMultiBody(
        0.0 if spec.static else spec.mass,
        collisions[0],
        visuals[0],
        placed.position,
        xyzw(placed.quaternion),
        linkMasses=[0.0] * links,
        linkCollisionShapeIndices=collisions[1:],
        linkVisualShapeIndices=visuals[1:],
        linkPositions=[(0.0, 0.0, 0.0)] * links,
        linkOrientations=[NO_TURN] * links,
        linkInertialFramePositions=[(0.0, 0.0, 0.0)] * links,
        linkInertialFrameOrientations=[NO_TURN] * links,
        linkParentIndices=[0] * links,
        linkJointTypes=[pybullet.JOINT_FIXED] * links,
        linkJointAxis=[(0.0, 0.0, 1.0)] * links,
    )
    # Without rolling friction a cylinder orbits in a bowl for ever; with it a contact costs three times.
    rolling = 0.0 if spec.shape == "cube" else ROLLING_FRICTION
    for link in range(-1, links):
        client.changeDynamics(body, link, rollingFriction=rolling, **OBJECT_CONTACT)
    return body


def xyzw(quaternion: Quaternion) -> Quaternion:
    """Return a quaternion (w, x, y, z) in Bullet's order."""
    w, x, y, z = quaternion
    return (x, y, z, w)


def _collision_shape(client: BulletClient, parts: Sequence[Part]) -> int:
    arrays = _part_arrays(parts)
    shape: int = client.createCollisionShapeArray(
        shapeTypes=arrays["kinds"],
        halfExtents=arrays["half_extents"],
        radii=arrays["radii"],
        lengths=arrays["lengths"],
        collisionFramePositions=arrays["positions"],
        collisionFrameOrientations=arrays["orientations"],
    )
    return shape


def _visual_shape(client: BulletClient, parts: Sequence[Part], spec: ObjectSpec) -> int:
    arrays = _part_arrays(parts)
    shape: int = client.createVisualShapeArray(
        shapeTypes=arrays["kinds"],
        halfExtents=arrays["half_extents"],
        radii=arrays["radii"],
        lengths=arrays["lengths"],
        rgbaColors=[(*spec.rgb, 1.0)] * len(parts),
        visualFramePositions=arrays["positions"],
        visualFrameOrientations=arrays["orientations"],
    )
    return shape


def _part_arrays(parts: Sequence[Part]) -> dict[str, Any]:
    """Return the parts in the parallel lists that PyBullet takes; a shape ignores what is not its own."""
    kinds = {"box": pybullet.GEOM_BOX, "cylinder": pybullet.GEOM_CYLINDER, "sphere": pybullet.GEOM_SPHERE}
    sizes = np.array([part.size for part in parts])
    return {
        "kinds": [kinds[part.kind] for part in parts],
        "half_extents": sizes.tolist(),
        "radii": sizes[:, 0].tolist(),
        "lengths": (2 * sizes[:, 1]).tolist(),
        "positions": [part.position for part in parts],
        "orientations": [xyzw(part.quaternion) for part in parts],
    }
