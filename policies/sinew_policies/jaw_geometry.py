"""Where the gripper's jaws are at every opening, measured on the robot's URDF by casting rays."""

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
    """Where the jaws are along the closing axis y, m from the tip.

    A gripper with one fixed jaw opens to one side only: the middle between its pads, where an object is
    held, moves along the closing axis with the opening.
    """

    outside: tuple[float, float]  # of the closed gripper: its outer faces, low and high
    apertures: FloatArray  # (m,) rising
    openings: FloatArray  # (m,) m between the pads at each aperture, rising
    middles: FloatArray  # (m,) m, halfway between the pads at each aperture

    def aperture(self, opening: float) -> float:
        """Return the aperture at which the pads are `opening` (m) apart, as far as they go."""
        return float(np.interp(opening, self.openings, self.apertures))

    def middle(self, opening: float) -> float:
        """Return where halfway between the pads is when they are `opening` (m) apart."""
        return float(np.interp(opening, self.openings, self.middles))


def measure_jaws(robot: Robot) -> Jaws:
    """Measure the jaws at the height of the tip."""
    model = mujoco.MjModel.from_xml_path(str(robot.urdf))
    data = mujoco.MjData(model)
    closed = _pose(model, data, robot, 0.0)
    low, high = (s * (FAR - _ray(model, data, closed, s * FAR, -s)) for s in (-1.0, 1.0))
    apertures = np.linspace(0, 1, SAMPLES)
    rooms = np.array([_inside(model, data, _pose(model, data, robot, a)) for a in apertures])
    met = rooms[:, 1] < FAR  # past the pads' height, a jaw that swings is met no more
    apertures, rooms = apertures[met], rooms[met]
    openings = rooms[:, 1] - rooms[:, 0]
    rising = np.diff(np.maximum.accumulate(openings), prepend=-1.0) > 0
    return Jaws((low, high), apertures[rising], openings[rising], rooms[rising].mean(axis=1))


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
