"""A robot's URDF in MuJoCo and in PyBullet: forward kinematics and contacts by joint name."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import pybullet
from numpy.typing import NDArray
from sinew_core.kinematics import transform
from sinew_core.robot import Robot

Array = NDArray[np.float64]


class MujocoArm:
    """Forward kinematics, contacts and gravity of a URDF in MuJoCo."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.model = mujoco.MjModel.from_xml_path(str(robot.urdf))
        self.data = mujoco.MjData(self.model)
        joints = [self.model.joint(name) for name in robot.joint_names]
        self.columns = [joint.qposadr[0] for joint in joints]
        self.dofs = [joint.dofadr[0] for joint in joints]

    def qpos(self, position: Array) -> Array:
        q = np.zeros(self.model.nq)
        q[self.columns] = position
        for follower, (leader, scale, offset) in self.robot.mimic.items():
            value = position[self.robot.joint_names.index(leader)]
            q[self.model.joint(follower).qposadr[0]] = scale * value + offset
        return q

    def pose(self, link: str, position: Array) -> Array:
        self.data.qpos[:] = self.qpos(position)
        mujoco.mj_forward(self.model, self.data)
        body = self.data.body(link)
        return transform(body.xpos.copy(), body.xmat.reshape(3, 3).copy())

    def contacts(self, position: Array) -> list[tuple[str, str]]:
        self.pose(self.robot.tip_link, position)
        bodies = [[self.model.geom_bodyid[geom] for geom in contact.geom] for contact in self.data.contact]
        return [(self.model.body(a).name, self.model.body(b).name) for a, b in bodies]

    def gravity(self, position: Array) -> Array:
        """The torque (or force) that each commanded joint has to hold, (n,)."""
        self.pose(self.robot.tip_link, position)
        torque: Array = self.data.qfrc_bias[self.dofs]
        return torque

    def pad_distance(self, link: str, position: Array) -> float:
        """Signed distance (m) along the closing axis from the tip frame to a finger's pad, at its far end."""
        X = self.pose("gripper_tip", position)
        ends = [end_of_box(self, geom, X) for geom in range(self.model.ngeom) if self._is_box_of(geom, link)]
        return max(ends)[1]

    def _is_box_of(self, geom: int, link: str) -> bool:
        collides = bool(self.model.geom_contype[geom])
        is_box = self.model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX
        return collides and is_box and self.model.body(self.model.geom_bodyid[geom]).name == link


def end_of_box(arm: MujocoArm, geom: int, X: Array) -> tuple[float, float]:
    """How far a box reaches along z of a frame, and where its far face is nearest to y = 0."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    turned = (signs * arm.model.geom_size[geom]) @ arm.data.geom_xmat[geom].reshape(3, 3).T
    local = (arm.data.geom_xpos[geom] + turned - X[:3, 3]) @ X[:3, :3]
    far_face = local[local[:, 2].argsort()[-4:], 1]
    return float(local[:, 2].max()), float(far_face[np.abs(far_face).argmin()])


class BulletArm:
    """The same in PyBullet, in a client of its own."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.client = pybullet.connect(pybullet.DIRECT)
        flags = pybullet.URDF_USE_INERTIA_FROM_FILE
        self.body = pybullet.loadURDF(
            str(robot.urdf), useFixedBase=True, flags=flags, physicsClientId=self.client
        )
        infos = [self.info(j) for j in range(pybullet.getNumJoints(self.body, physicsClientId=self.client))]
        self.joints = {info[1].decode(): info[0] for info in infos}
        self.links = {info[12].decode(): info[0] for info in infos}
        self.parents = {info[0]: info[16] for info in infos}

    def info(self, joint: int) -> tuple[Any, ...]:
        return pybullet.getJointInfo(self.body, joint, physicsClientId=self.client)  # type: ignore[no-any-return]

    def pose(self, link: str, position: Array) -> Array:
        named = dict(zip(self.robot.joint_names, position, strict=True))
        for follower, (leader, scale, offset) in self.robot.mimic.items():
            named[follower] = scale * named[leader] + offset
        for name, value in named.items():
            pybullet.resetJointState(self.body, self.joints[name], value, physicsClientId=self.client)
        state = pybullet.getLinkState(
            self.body, self.links[link], computeForwardKinematics=True, physicsClientId=self.client
        )
        rotation = np.array(pybullet.getMatrixFromQuaternion(state[5])).reshape(3, 3)
        return transform(np.array(state[4]), rotation)

    def touching(self, position: Array) -> list[tuple[int, int]]:
        """Pairs of links that overlap, neighbours left out; -1 is the base."""
        self.pose(self.robot.tip_link, position)
        links = [-1, *self.links.values()]
        return [
            (a, b) for a in links for b in links if a < b and self.parents[b] != a and self._overlap(a, b)
        ]

    def _overlap(self, a: int, b: int) -> bool:
        points = pybullet.getClosestPoints(self.body, self.body, 0.0, a, b, physicsClientId=self.client)
        return any(point[8] < 0 for point in points)

    def close(self) -> None:
        pybullet.disconnect(self.client)
