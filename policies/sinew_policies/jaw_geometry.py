"""Where the gripper's jaws are at every opening, measured on the robot's URDF by casting rays."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

FAR = 0.08  # m, further out than a jaw and nearer than the rest of the arm
BROAD = 0.03  # m, the same across the closing axis, where the arm is nearer
INTO = 0.002  # m from a jaw's outer face to well inside it
SAMPLES = 21  # apertures at which the opening is measured


@dataclass(frozen=True, slots=True)
class Jaws:
    """Where the jaws are, m from the tip, mostly along the closing axis y.

    A gripper with one fixed jaw opens to one side only: the middle between its pads, where an object is
    held, moves along the closing axis with the opening.
    """

    outside: tuple[float, float]  # of the closed gripper: its outer faces, low and high
    broadside: tuple[float, float]  # m along x, across the closing axis: the closed gripper's faces
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
    """Measure the pads at the height of the tip, and the outer faces around it."""
    model = mujoco.MjModel.from_xml_path(str(robot.urdf))
    data = mujoco.MjData(model)
    closed = _pose(model, data, robot, 0.0)
    outside = _faces(model, data, closed[:3, 3], closed[:3, 1], FAR)
    jaws = [closed[:3, 3] + y * closed[:3, 1] for y in (outside[0] + INTO, outside[1] - INTO)]
    backs, fronts = np.array([_faces(model, data, jaw, closed[:3, 0], BROAD) for jaw in jaws]).T
    apertures = np.linspace(0, 1, SAMPLES)
    rooms = np.array([_inside(model, data, _pose(model, data, robot, a)) for a in apertures])
    met = rooms[:, 1] < FAR  # past the pads' height, a jaw that swings is met no more
    apertures, rooms = apertures[met], rooms[met]
    openings = rooms[:, 1] - rooms[:, 0]
    rising = np.diff(np.maximum.accumulate(openings), prepend=-1.0) > 0
    return Jaws(
        outside=outside,
        broadside=(float(backs.min()), float(fronts.max())),
        apertures=apertures[rising],
        openings=openings[rising],
        middles=rooms[rising].mean(axis=1),
    )


def _faces(
    model: mujoco.MjModel, data: mujoco.MjData, point: FloatArray, axis: FloatArray, far: float
) -> tuple[float, float]:
    """Return where the jaws begin on an axis (3,) through a point (3,), from `far` on either side, m."""
    low, high = (s * (far - _ray(model, data, point + s * far * axis, -s * axis)) for s in (-1.0, 1.0))
    return low, high


def _inside(model: mujoco.MjModel, data: mujoco.MjData, tip: FloatArray) -> tuple[float, float]:
    """Return where the pads begin on the closing axis when one comes from the tip, m."""
    low, high = (s * _ray(model, data, tip[:3, 3], s * tip[:3, 1]) for s in (-1.0, 1.0))
    return low, high


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


def _ray(model: mujoco.MjModel, data: mujoco.MjData, start: FloatArray, way: FloatArray) -> float:
    """Return the distance from a point (3,) to the first geometry in a direction (3,), FAR for none."""
    geom = np.zeros(1, dtype=np.int32)
    distance = mujoco.mj_ray(model, data, start, way, None, 1, -1, geom, None)
    return FAR if distance < 0 else float(distance)
