"""The room between and around the gripper's jaws, measured on the robot's URDF by casting rays."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

FAR = 0.2  # m, further out than any jaw
SAMPLES = 21  # apertures at which the opening is measured


@dataclass(frozen=True, slots=True)
class Jaws:
    """Where the jaws are along the closing axis y, m from the tip; `low` < `high`.

    A gripper with one fixed jaw opens to one side only, so that neither interval need be centred on the
    tip, and a narrow object is not held at the tip's centre.
    """

    inside: tuple[float, float]  # of the open gripper: the room for an object
    outside: tuple[float, float]  # of the closed gripper: its outer faces
    openings: FloatArray  # (m,) between the pads, rising
    centres: FloatArray  # (m,) the middle between the pads at each opening

    def around(self, width: float, clearance: float) -> float:
        """Return where in the open gripper an object's centre keeps `clearance` from both jaws.

        Where it will be held if that is free, else as little beside it as needed, and the middle of the
        room where the object is too wide for the clearance.
        """
        low = self.inside[0] + width / 2 + clearance
        high = self.inside[1] - width / 2 - clearance
        return (low + high) / 2 if low > high else float(np.clip(self.held(width), low, high))

    def held(self, width: float) -> float:
        """Return where the centre of an object of that width is once the jaws have closed on it."""
        return float(np.interp(width, self.openings, self.centres))


def measure_jaws(robot: Robot) -> Jaws:
    """Return the room inside and outside the jaws, at the height of the tip."""
    model = mujoco.MjModel.from_xml_path(str(robot.urdf))
    data = mujoco.MjData(model)
    closed = _pose(model, data, robot, 0.0)
    low, high = (s * (FAR - _ray(model, data, closed, s * FAR, -s)) for s in (-1.0, 1.0))
    insides = [
        _inside(model, data, _pose(model, data, robot, aperture)) for aperture in np.linspace(0, 1, SAMPLES)
    ]
    rooms = np.array([room for room in insides if room[1] < FAR])
    order = np.argsort(rooms[:, 1] - rooms[:, 0])
    return Jaws(
        inside=insides[-1],
        outside=(low, high),
        openings=(rooms[:, 1] - rooms[:, 0])[order],
        centres=rooms.mean(axis=1)[order],
    )


def _inside(model: mujoco.MjModel, data: mujoco.MjData, tip: FloatArray) -> tuple[float, float]:
    return -_ray(model, data, tip, 0.0, -1.0), _ray(model, data, tip, 0.0, 1.0)


def _pose(model: mujoco.MjModel, data: mujoco.MjData, robot: Robot, aperture: float) -> FloatArray:
    """Put the robot at home with its gripper open by `aperture`; return `X_BT` (4, 4) of the tip."""
    position = robot.home.copy()
    position[robot.gripper_index] = robot.gripper_position(aperture)
    values = dict(zip(robot.joint_names, position, strict=True))
    for follower, (leader, scale, shift) in robot.mimic.items():
        values[follower] = scale * values[leader] + shift
    for name, value in values.items():
        data.qpos[model.joint(name).qposadr[0]] = value
    mujoco.mj_kinematics(model, data)
    return robot.chain.pose(robot.tip_link, position)


def _ray(model: mujoco.MjModel, data: mujoco.MjData, tip: FloatArray, at: float, direction: float) -> float:
    """Return the distance to the first jaw from `at` on the closing axis, FAR where there is none."""
    start, way = tip[:3, 3] + at * tip[:3, 1], direction * tip[:3, 1]
    geom = np.zeros(1, dtype=np.int32)
    distance = mujoco.mj_ray(model, data, start, way, None, 1, -1, geom, None)
    return FAR if distance < 0 else float(distance)
