"""Observation to vector: joints, the tip, and the keypoints that the affordance names, seen from the tip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointState, Keypoint, Observation

from sinew_policies.grasping import is_square

Columns = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.uint8]]  # what an agent sees, by name

STATE = "state"  # the column of numbers; every other one is the images of a camera

TIP = 6  # position (3), cosine and sine of the yaw, aperture
SCALES = (0.03, 0.01)  # m, at which offsets are squashed besides: a millimetre counts where things are near
OFFSET = 3 * (1 + len(SCALES))  # numbers of an offset
OBJECT = 11 + OFFSET  # there, visible, held, cos and sin of the turn (4), extent (3), height, from the tip
TARGET = 4 + 2 * OFFSET  # there, extent (3), from the tip, from the object


class Encoding(Protocol):
    """Turns observations into what an agent sees; what came before makes no difference."""

    name: str  # of what the numbers depend on: another name, another meaning
    size: int  # numbers of the column `state`
    images: Mapping[str, tuple[int, int, int]]  # further columns, (h, w, 3) uint8
    needs_frames: bool  # whether camera frames are looked at

    def complete(self, observation: Observation) -> bool:
        """Tell whether everything is there that a decision wants."""

    def encode(self, observation: Observation) -> Columns:
        """Return the columns of an observation."""


class KeypointEncoding:
    """Encodes an observation as float32 (2 n + 48,).

    Joint positions and velocities (2 n); the tip in the base frame; the object that the affordance
    moves (or takes), and its target, as offsets from the tip in m, in the tip's own directions: turned
    about the vertical by its yaw, so that the same thing done elsewhere looks the same. What is not known
    is zeros. The turn is the object's yaw less the tip's, twice and four times, so that nothing has a
    front; of what is about square only the latter, since nobody can tell its sides apart. What an
    affordance names is what is encoded: the policy never learns a colour.
    """

    name = "keypoints_from_tip_2"
    needs_frames = False

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self.size = 2 * len(robot.joint_names) + TIP + OBJECT + TARGET
        self.images: Mapping[str, tuple[int, int, int]] = {}

    def complete(self, observation: Observation) -> bool:
        """Tell whether everything that the affordance names is known; without one, nothing is."""
        affordance = observation.affordance
        if affordance is None:
            return False
        named = (affordance.moves, affordance.grasp, affordance.target)
        return all(_find(where, observation.keypoints) is not None for where in named if where is not None)

    def encode(self, observation: Observation) -> Columns:
        """Return the one column."""
        joints = observation.joints
        pose = self._robot.chain.pose(self._robot.tip_link, joints.position)
        tip, yaw = pose[:3, 3], tip_yaw(pose)
        moved, target = _named(observation)
        things = _object(moved, tip, yaw), _target(target, moved, tip, yaw)
        return {STATE: np.concatenate([own(self._robot, joints, pose), *things]).astype(np.float32)}


def own(robot: Robot, joints: JointState, pose: FloatArray) -> FloatArray:
    """Return what an arm knows of itself (2 n + 6,): joint positions and velocities, and its tip.

    `pose` is the tip's, (4, 4) in the base frame.
    """
    yaw = tip_yaw(pose)
    tip = np.array([*pose[:3, 3], np.cos(yaw), np.sin(yaw), robot.aperture(joints.position)])
    return np.concatenate([joints.position, joints.velocity, tip])


def tip_yaw(pose: FloatArray) -> float:
    """Return the direction of the tip's closing axis y about +z of the base frame, rad."""
    return float(np.arctan2(pose[1, 1], pose[0, 1]))


def turned(vector: FloatArray, angle: float) -> FloatArray:
    """Return a vector (3,) turned about the vertical by an angle, rad."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1], vector[2]])


def _named(observation: Observation) -> tuple[Keypoint | None, Keypoint | None]:
    """Return the keypoints of what moves and of the target; a point stands for a keypoint."""
    affordance = observation.affordance
    if affordance is None:
        return None, None
    moved = affordance.moves if affordance.moves is not None else affordance.grasp
    return _find(moved, observation.keypoints), _find(affordance.target, observation.keypoints)


def _find(where: str | FloatArray | None, keypoints: Mapping[str, Keypoint]) -> Keypoint | None:
    if where is None or isinstance(where, str):
        return keypoints.get(where) if where is not None else None
    return Keypoint(where)


def _object(item: Keypoint | None, tip: FloatArray, yaw: float) -> FloatArray:
    values = np.zeros(OBJECT)
    if item is None:
        return values
    values[:3] = 1.0, item.visible, item.held
    if item.yaw is not None:
        turn = item.yaw - yaw
        if not is_square(item):
            values[3:5] = np.cos(2 * turn), np.sin(2 * turn)
        values[5:7] = np.cos(4 * turn), np.sin(4 * turn)
    if item.extent is not None:
        values[7:10] = item.extent
    values[10] = item.position[2]
    values[11:] = _offset(item.position - tip, yaw)
    return values


def _target(item: Keypoint | None, moved: Keypoint | None, tip: FloatArray, yaw: float) -> FloatArray:
    values = np.zeros(TARGET)
    if item is None:
        return values
    values[0] = 1.0
    if item.extent is not None:
        values[1:4] = item.extent
    values[4 : 4 + OFFSET] = _offset(item.position - tip, yaw)
    if moved is not None:
        values[4 + OFFSET :] = _offset(item.position - moved.position, yaw)
    return values


def _offset(offset: FloatArray, yaw: float) -> FloatArray:
    """Return an offset (3,) in m as the tip sees it, and squashed at each scale."""
    offset = turned(offset, -yaw)
    return np.concatenate([offset, *(np.tanh(offset / scale) for scale in SCALES)])
