"""What makers publish about their arms' kinematics, how to read it, and what each robot can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sinew_core.kinematics import rpy_matrix, transform

Array = NDArray[np.float64]
HALF_TURN = np.pi / 2
Origin = tuple[tuple[float, float, float], tuple[float, float, float]]  # xyz, rpy

# TheRobotStudio SO-ARM100, so101_new_calib: (xyz, rpy) of each joint in its parent link, every axis +z.
SO101_BASE = (0.020791, 0.0157608, 0.0324817)  # table-top frame in the CAD's base link
SO101_JOINTS: Mapping[str, Origin] = {
    "shoulder_pan": ((0.0207909, -0.0230745, 0.0948817), (-np.pi, 0.0, HALF_TURN)),
    "shoulder_lift": ((-0.0303992, -0.0182778, -0.0542), (-HALF_TURN, -HALF_TURN, 0.0)),
    "elbow_flex": ((-0.11257, -0.028, 0.0), (0.0, 0.0, HALF_TURN)),
    "wrist_flex": ((-0.1349, 0.0052, 0.0), (0.0, 0.0, -HALF_TURN)),
    "wrist_roll": ((0.0, -0.0611, 0.0181), (HALF_TURN, 0.0, np.pi)),
    "gripper": ((0.0202, 0.0188, -0.0234), (HALF_TURN, 0.0, 0.0)),
}

# Franka's Craig-DH table (FCI documentation, robot specifications): a, d, alpha; then the flange.
FR3_CRAIG = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -HALF_TURN),
    (0.0, 0.316, HALF_TURN),
    (0.0825, 0.0, HALF_TURN),
    (-0.0825, 0.384, -HALF_TURN),
    (0.0, 0.0, HALF_TURN),
    (0.088, 0.0, HALF_TURN),
)
FR3_FLANGE, FR3_HAND_YAW, FR3_TCP = 0.107, -np.pi / 4, 0.1034

# Universal Robots, "DH parameters for calculations of kinematics and dynamics", UR5e: a, d, alpha.
UR5E_DH = (
    (0.0, 0.1625, HALF_TURN),
    (-0.425, 0.0, 0.0),
    (-0.3922, 0.0, 0.0),
    (0.0, 0.1333, HALF_TURN),
    (0.0, 0.0997, -HALF_TURN),
    (0.0, 0.0996, 0.0),
)

# Interbotix, modern_robotics description of the wx250s: screw axes (omega, v) in the base frame, and the
# pose of ee_gripper_link at zero, which is level with the base.
WX250S_SCREWS = (
    (0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 0.0, -0.11065, 0.0, 0.0),
    (0.0, 1.0, 0.0, -0.36065, 0.0, 0.04975),
    (1.0, 0.0, 0.0, 0.0, 0.36065, 0.0),
    (0.0, 1.0, 0.0, -0.36065, 0.0, 0.29975),
    (1.0, 0.0, 0.0, 0.0, 0.36065, 0.0),
)
WX250S_HOME = (0.458325, 0.0, 0.36065)


@dataclass(frozen=True, slots=True)
class Ability:
    """What a robot is there for on its table, m."""

    home_before: float  # x of the tip at home, short of where objects lie
    left: str  # the finger on the side of the tip's +y
    right: str
    at_30_mm: float  # the gripper joint's position with 30 mm between the pads
    admits: float  # between the pads when open
    xs: tuple[float, float]  # where things are grasped from above
    ys: tuple[float, float]

    def grasp_grid(self, n: int) -> list[tuple[float, float]]:
        """Return n by n places on the table."""
        return [(float(x), float(y)) for x in np.linspace(*self.xs, n) for y in np.linspace(*self.ys, n)]


ABILITIES: Mapping[str, Ability] = {
    "so101": Ability(0.15, "moving_jaw", "gripper_body", 0.4, 0.06, (0.15, 0.28), (-0.12, 0.12)),
    "fr3": Ability(0.35, "fr3_leftfinger", "fr3_rightfinger", 0.015, 0.06, (0.35, 0.6), (-0.25, 0.25)),
    "widowx250": Ability(
        0.15, "left_finger_link", "right_finger_link", 0.024, 0.055, (0.17, 0.4), (-0.18, 0.18)
    ),
    "ur5e": Ability(0.35, "left_finger", "right_finger", 0.015, 0.08, (0.33, 0.65), (-0.28, 0.28)),
}


def chain(origins: Mapping[str, Origin], q: Mapping[str, float]) -> Array:
    """Multiply published joint origins; every joint turns about its own z."""
    X = np.eye(4)
    for name, (xyz, rpy) in origins.items():
        X = X @ transform(np.array(xyz), rpy_matrix(*rpy)) @ about_z(q[name])
    return X


def craig(a: float, d: float, alpha: float, theta: float) -> Array:
    """Craig's modified DH transform: turn by alpha about x, move a; turn by theta about z, move d."""
    tilt = transform(np.array([a, 0.0, 0.0]), rpy_matrix(alpha, 0, 0))
    return tilt @ transform(np.array([0.0, 0.0, d]), rpy_matrix(0, 0, theta))


def denavit(a: float, d: float, alpha: float, theta: float) -> Array:
    """The original DH transform: turn by theta about z, move d; move a, turn by alpha about x."""
    lift = transform(np.array([0.0, 0.0, d]), rpy_matrix(0, 0, theta))
    return lift @ transform(np.array([a, 0.0, 0.0]), rpy_matrix(alpha, 0, 0))


def screw(axis: tuple[float, ...], theta: float) -> Array:
    """The exponential of a screw with a unit omega (Lynch & Park, Modern Robotics, eq. 3.88)."""
    omega, v = np.array(axis[:3]), np.array(axis[3:])
    K = np.cross(np.eye(3), omega)  # K @ p is omega x p
    s, c = np.sin(theta), np.cos(theta)
    turn = np.eye(3) + s * K + (1 - c) * K @ K
    return transform((theta * np.eye(3) + (1 - c) * K + (theta - s) * K @ K) @ v, turn)


def about_z(angle: float) -> Array:
    """A turn about z."""
    return transform(np.zeros(3), rpy_matrix(0, 0, angle))
