"""An independent judge of distances: PyBullet on the same URDF, sharing no code with the filter's own."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pybullet
from pybullet_utils.bullet_client import BulletClient
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import FloatArray
from sinew_sim.bullet_client import close_client, open_client

from sinew_safety.config import CONSTRAINTS, Obstacle

SKIN = 0.001  # m, by which Bullet rounds a box's corners, and by which it swells a cylinder
TABLE_SIZE = (8.0, 8.0, 1.0)  # m; a box, since Bullet measures planes without the skin
BASE = -1  # Bullet's number of the base link


class Judge:
    """Measures, at given joint positions, how near anything comes; exact to 0.5 mm, for boxes to 0.01 mm.

    Judged are all links that no joint joins, but for the gripper's fingers among themselves; all links
    but the base with table and obstacles; and the tip with the walls of its workspace.
    """

    def __init__(self, hardware: Hardware, obstacles: Sequence[Obstacle], within: float = 0.1) -> None:
        """Measure distances up to `within` m; what is farther away counts as that far."""
        self._robot, self._box, self._within = hardware.robot, hardware.config.safety, within
        self._client = open_client()
        self._body = _load(self._client, hardware.robot)
        self._fixed = [self._add_box(Obstacle("table", TABLE_SIZE, (0.0, 0.0, -TABLE_SIZE[2] / 2)))]
        self._fixed += [self._add_box(obstacle) for obstacle in obstacles]
        infos = [
            self._client.getJointInfo(self._body, i) for i in range(self._client.getNumJoints(self._body))
        ]
        self._joint = {info[1].decode(): info[0] for info in infos}
        self._link = {info[12].decode(): info[0] for info in infos}
        self._pairs = self._self_pairs({info[0]: info[16] for info in infos})

    def smallest(self, position: FloatArray) -> dict[str, float]:
        """Return the smallest distance of each constraint, m, at joint positions (n,)."""
        self._put(position)
        client, body = self._client, self._body
        near = dict.fromkeys(CONSTRAINTS, self._within)
        for i, fixed in enumerate(self._fixed):
            for point in client.getClosestPoints(fixed, body, self._within):
                name = "obstacle" if i else "table"
                if point[4] != BASE:
                    near[name] = min(near[name], point[8] + 2 * SKIN)
        for one, other in self._pairs:
            for point in client.getClosestPoints(body, body, self._within, one, other):
                near["self"] = min(near["self"], point[8] + 2 * SKIN)
        near["walls"] = min(self._within, self._to_walls())
        return near

    def close(self) -> None:
        """Release the physics client."""
        close_client(self._client)

    def _put(self, position: FloatArray) -> None:
        named = dict(zip(self._robot.joint_names, position.tolist(), strict=True))
        for follower, (leader, scale, offset) in self._robot.mimic.items():
            named[follower] = scale * named[leader] + offset
        joints = [self._joint[name] for name in named]
        self._client.resetJointStatesMultiDof(self._body, joints, [[value] for value in named.values()])

    def _to_walls(self) -> float:
        link = self._link[self._robot.tip_link]
        tip = np.array(self._client.getLinkState(self._body, link, computeForwardKinematics=1)[4])
        inside = np.concatenate([tip - self._box.workspace_lower, self._box.workspace_upper - tip])
        return float(min(inside.min(), tip[2] - self._box.floor))

    def _add_box(self, box: Obstacle) -> int:
        client = self._client
        half = [edge / 2 + SKIN for edge in box.size]
        shape = client.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half)
        turned = client.getQuaternionFromEuler(box.rpy)
        body: int = client.createMultiBody(0, shape, basePosition=box.position, baseOrientation=turned)
        client.changeDynamics(body, BASE, collisionMargin=SKIN)
        return body

    def _self_pairs(self, parents: dict[int, int]) -> list[tuple[int, int]]:
        links = [link for link in (BASE, *self._link.values()) if self._has_shape(link)]
        fingers = {link for link in links if self._finger(link, parents)}
        return [
            (a, b)
            for a in links
            for b in links
            if a < b and parents.get(b) != a and parents.get(a) != b and not {a, b} <= fingers
        ]

    def _has_shape(self, link: int) -> bool:
        return bool(self._client.getCollisionShapeData(self._body, link))

    def _finger(self, link: int, parents: dict[int, int]) -> bool:
        """Tell whether the gripper's joint, or one that follows it, carries a link; joints are its links."""
        leader = self._robot.gripper.joint
        followers = {name for name, (other, _, _) in self._robot.mimic.items() if other == leader}
        driven = {self._joint[name] for name in followers | {leader}}
        while link != BASE:
            if link in driven:
                return True
            link = parents[link]
        return False


def _load(client: BulletClient, robot: Robot) -> int:
    """Load the robot with boxes larger by the skin: with their corners rounded by it, they are exact."""
    tree = ET.parse(robot.urdf)
    for box in tree.getroot().iterfind("link/collision/geometry/box"):
        edges = [float(edge) + 2 * SKIN for edge in box.get("size", "").split()]
        box.set("size", " ".join(map(str, edges)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "judged.urdf"
        tree.write(path)
        body: int = client.loadURDF(str(path), useFixedBase=True)
    return body
