"""A robot in a PyBullet world: its URDF, its position servos and its joints in command order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pybullet
from pybullet_utils.bullet_client import BulletClient
from sinew_core.kinematics import transform
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointCommand, JointState

from sinew_sim.bullet_bodies import ROBOT_CONTACT

URDF_FLAGS = (
    pybullet.URDF_USE_INERTIA_FROM_FILE
    | pybullet.URDF_USE_SELF_COLLISION
    | pybullet.URDF_USE_SELF_COLLISION_EXCLUDE_PARENT
)
SERVO_SPEED = 1.5  # of the commanded limit, so that a servo can catch up; without one, jaws fling
GEAR_ERP = 0.2  # share of the mimic joint's error that is taken back in a step
GEAR_FORCE = 1000.0  # N or N m


class BulletArm:
    """The arm of a PyBullet world; `load` puts it there, and again after every reset."""

    def __init__(
        self, client: BulletClient, robot: Robot, time_step: float, clock: Callable[[], int]
    ) -> None:
        self._client, self._robot, self._clock = client, robot, clock
        # A servo answers with the time constant damping / stiffness, as the same PD law does elsewhere.
        self._gain = np.minimum(time_step * robot.stiffness / np.maximum(robot.damping, 1e-9), 1.0)
        self._effort = robot.effort.copy()
        for leader, _, _ in robot.mimic.values():  # one motor drives both
            self._effort[robot.joint_names.index(leader)] /= 2
        self._target = robot.home.copy()
        self._body = -1
        self._joint: dict[str, int] = {}
        self._link: dict[str, int] = {}

    def load(self) -> None:
        """Add the robot to an emptied world, at home and at rest."""
        self._body = self._client.loadURDF(str(self._robot.urdf), useFixedBase=True, flags=URDF_FLAGS)
        infos = [self._client.getJointInfo(self._body, i) for i in range(self._joints())]
        self._joint = {info[1].decode(): info[0] for info in infos}
        self._link = {info[12].decode(): info[0] for info in infos}
        for link in range(-1, self._joints()):
            self._client.changeDynamics(self._body, link, **ROBOT_CONTACT)
        self._gear_mimics()
        self.go_home()

    def go_home(self) -> None:
        """Put every joint exactly home, at rest, the servos holding it there."""
        self.put(self._robot.home)

    def put(self, position: FloatArray) -> None:
        """Put every joint exactly at a position (n,), at rest, the servos holding it there."""
        for name, value in self._all_joints(position).items():
            self._client.resetJointState(self._body, self._joint[name], value)
        self._drive(position.copy())

    def read(self) -> JointState:
        """Return the joints as they are."""
        states = self._client.getJointStates(self._body, [self._joint[n] for n in self._robot.joint_names])
        position, velocity, effort = (np.array([state[i] for state in states]) for i in (0, 1, 3))
        return JointState(self._clock(), position, velocity, effort)

    def write(self, command: JointCommand) -> None:
        """Give the servos new targets."""
        self._drive(np.array(command.position, dtype=np.float64))

    def stop(self) -> None:
        """Keep the present targets, so that a grasp is not let go."""
        self._drive(self._target)

    def close(self) -> None:
        """Nothing to release."""

    def pose(self, link: str) -> FloatArray:
        """Return `X_WL` (4, 4) of a link as it is now."""
        if link == self._robot.base_link:
            return np.eye(4)
        state = self._client.getLinkState(self._body, self._link[link], computeForwardKinematics=1)
        rotation = np.array(self._client.getMatrixFromQuaternion(state[5])).reshape(3, 3)
        return transform(np.array(state[4]), rotation)

    def _joints(self) -> int:
        count: int = self._client.getNumJoints(self._body)
        return count

    def _all_joints(self, position: FloatArray) -> dict[str, float]:
        """Return the positions of all movable joints by name, mimic joints with them."""
        named = {name: float(q) for name, q in zip(self._robot.joint_names, position, strict=True)}
        return named | {
            follower: scale * named[leader] + offset
            for follower, (leader, scale, offset) in self._robot.mimic.items()
        }

    def _drive(self, position: FloatArray) -> None:
        self._target = position
        for name, target in self._all_joints(position).items():
            leader = self._robot.mimic[name][0] if name in self._robot.mimic else name
            i = self._robot.joint_names.index(leader)
            self._client.setJointMotorControl2(
                self._body,
                self._joint[name],
                pybullet.POSITION_CONTROL,
                targetPosition=target,
                force=self._effort[i],
                positionGain=self._gain[i],
                velocityGain=1.0,
                maxVelocity=SERVO_SPEED * self._robot.velocity[i],
            )

    def _gear_mimics(self) -> None:
        """Tie mimic joints to their leaders, which PyBullet's URDF reader does not."""
        for follower, (leader, scale, _) in self._robot.mimic.items():
            gear = self._client.createConstraint(
                self._body,
                self._joint[follower],
                self._body,
                self._joint[leader],
                pybullet.JOINT_GEAR,
                [0, 0, 1],
                [0, 0, 0],
                [0, 0, 0],
            )
            self._client.changeConstraint(gear, gearRatio=-scale, erp=GEAR_ERP, maxForce=GEAR_FORCE)
