"""Joint positions for a pose of the gripper's tip, by mink on the robot's URDF."""

from __future__ import annotations

from dataclasses import dataclass

import mink
import mujoco
import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

SOLVER = "daqp"


@dataclass(frozen=True, slots=True)
class TipPose:
    """Where the tip is wanted; its z axis points straight down, `yaw` turns its closing axis y."""

    position: FloatArray  # (3,) m, base frame
    yaw: float  # rad about +z of the base frame, of the tip's y axis

    @property
    def rotation(self) -> FloatArray:
        """Return the rotation (3, 3) of the tip in the base frame."""
        y = np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])
        z = np.array([0.0, 0.0, -1.0])
        return np.column_stack([np.cross(y, z), y, z])


@dataclass(frozen=True, slots=True)
class TipSolution:
    """The joints that come nearest to a tip pose, and how near that is."""

    position: FloatArray  # (n,) rad or m
    error: float  # m, of the tip's position; more than a millimetre: the pose is out of reach
    turn: float  # rad, of the tip's orientation, tilt and yaw together


@dataclass(frozen=True, slots=True)
class TipSolverConfig:
    """Weights in metres per radian beside a position weight of 1, and when to stop."""

    tilt_weight: float = 0.006
    yaw_weight: float = 0.003
    posture_weight: float = 1e-4  # towards home; decides where the arm has joints to spare
    damping: float = 1e-5  # keeps joints that the tip does not need from swinging
    iterations: int = 40
    largest_step: float = 0.4  # rad a joint may move in one iteration
    settled: float = 1e-3  # rad, the step below which the answer stands


class TipSolver:
    """Iterates mink's differential inverse kinematics from a start to a standstill.

    The orientation weights are small enough that an arm with too few joints gives up yaw and tilt and
    keeps the position. Deterministic: the answer depends on the pose and the start alone.
    """

    def __init__(self, robot: Robot, config: TipSolverConfig | None = None) -> None:
        self._robot, self._config = robot, config or TipSolverConfig()
        self._arm = np.array([i for i, n in enumerate(robot.joint_names) if n != robot.gripper.joint])
        model = arm_model(robot)
        self._columns = np.array([model.joint(robot.joint_names[i]).qposadr[0] for i in self._arm])
        self._configuration = mink.Configuration(model)
        c = self._config
        self._pose = mink.FrameTask(
            robot.tip_link,
            "body",
            position_cost=1.0,
            orientation_cost=[c.tilt_weight, c.tilt_weight, c.yaw_weight],
        )
        self._posture = mink.PostureTask(model, cost=c.posture_weight)
        home = np.zeros(model.nq)
        home[self._columns] = robot.home[self._arm]
        self._posture.set_target(home)
        self._limits = [mink.ConfigurationLimit(model, gain=1.0)]

    def solve(self, pose: TipPose, start: FloatArray, iterations: int | None = None) -> TipSolution:
        """Return joints for a tip pose, sought from the joints `start` (n,), whose gripper they keep."""
        robot, c = self._robot, self._config
        self._pose.set_target(
            mink.SE3.from_rotation_and_translation(mink.SO3.from_matrix(pose.rotation), pose.position)
        )
        q = np.zeros(self._configuration.model.nq)
        q[self._columns] = np.clip(start, robot.lower, robot.upper)[self._arm]
        self._configuration.update(q)
        for _ in range(c.iterations if iterations is None else iterations):
            step = mink.solve_ik(
                self._configuration,
                [self._pose, self._posture],
                dt=1.0,
                solver=SOLVER,
                damping=c.damping,
                limits=self._limits,
            )
            step *= min(1.0, c.largest_step / max(float(np.abs(step).max()), 1e-12))
            self._configuration.integrate_inplace(step, 1.0)
            if np.abs(step).max() < c.settled:
                break
        return self._solution(pose, start)

    def _solution(self, pose: TipPose, start: FloatArray) -> TipSolution:
        robot = self._robot
        position = start.copy()
        position[self._arm] = self._configuration.q[self._columns]
        position = np.clip(position, robot.lower, robot.upper)
        tip = robot.chain.pose(robot.tip_link, position)
        cosine = (np.trace(tip[:3, :3].T @ pose.rotation) - 1) / 2
        return TipSolution(
            position,
            float(np.linalg.norm(tip[:3, 3] - pose.position)),
            float(np.arccos(np.clip(cosine, -1.0, 1.0))),
        )


def wrapped(angle: float) -> float:
    """Return an angle in [-pi, pi)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def arm_model(robot: Robot) -> mujoco.MjModel:
    """Return the robot's model with the arm's joints only, inside the limits of robot.yaml."""
    spec = mujoco.MjSpec.from_file(str(robot.urdf))
    for equality in list(spec.equalities):
        spec.delete(equality)
    for joint in list(spec.joints):
        if joint.name not in robot.joint_names or joint.name == robot.gripper.joint:
            spec.delete(joint)
            continue
        i = robot.joint_names.index(joint.name)
        joint.range = [robot.lower[i], robot.upper[i]]
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE
    for geom in list(spec.geoms):
        spec.delete(geom)
    return spec.compile()
