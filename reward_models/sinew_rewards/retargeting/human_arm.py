"""Keypoints of a human arm over time, and where they belong on a robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_rewards.retargeting.robot_arm import RobotArm

PARTS = ("shoulder", "elbow", "wrist", "hand")
SHORTEST = 0.01  # m, of an upper arm, a forearm or a hand; less is a keypoint in the wrong place


@dataclass(frozen=True, slots=True)
class HumanArm:
    """T moments of an arm; points in m, in any base that stays where it is."""

    stamps: npt.NDArray[np.int64]  # (T,) ns, rising
    points: FloatArray  # (T, 4, 3): shoulder, elbow, wrist, hand

    def __post_init__(self) -> None:
        """Check that it is an arm."""
        T = len(self.stamps)
        if T == 0 or self.points.shape != (T, len(PARTS), 3):
            raise ValueError(
                f"human arm: expected points ({T}, 4, 3) for {T} stamps, at least one, got "
                f"{self.points.shape}."
            )
        if (np.diff(self.stamps) <= 0).any():
            raise ValueError(
                f"human arm: stamp {int(np.argmax(np.diff(self.stamps) <= 0)) + 1} does not rise."
            )
        if not np.isfinite(self.points).all():
            moment, part, _ = np.argwhere(~np.isfinite(self.points))[0]
            raise ValueError(f"human arm: the {PARTS[part]} of moment {moment} is not finite.")
        short = np.linalg.norm(np.diff(self.points, axis=1), axis=2) < SHORTEST
        if short.any():
            moment, part = np.argwhere(short)[0]
            raise ValueError(
                f"human arm: {PARTS[part]} and {PARTS[part + 1]} of moment {moment} are less than "
                f"{100 * SHORTEST:g} cm apart."
            )

    @property
    def lengths(self) -> FloatArray:
        """Upper arm, forearm and hand, (3,) m, as they are most of the time."""
        return np.asarray(np.median(np.linalg.norm(np.diff(self.points, axis=1), axis=2), axis=0))

    def directions(self) -> FloatArray:
        """Return the unit vectors (T, 3, 3) along upper arm, forearm and hand."""
        along = np.diff(self.points, axis=1)
        return np.asarray(along / np.linalg.norm(along, axis=2, keepdims=True))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the human's points lie in the robot's base: turned, scaled about the shoulder, and moved."""

    rotation: FloatArray  # (3, 3) from the human's base to the robot's
    scale: float
    shoulder: FloatArray  # (3,) m, robot's base, where the human's shoulder comes to lie

    def __post_init__(self) -> None:
        """Check that the rotation is one."""
        R = self.rotation
        if R.shape != (3, 3) or np.abs(R @ R.T - np.eye(3)).max() > 1e-6 or np.linalg.det(R) < 0:
            raise ValueError("placement: expected a rotation matrix (3, 3).")
        if not self.scale > 0:
            raise ValueError(f"placement: expected a scale above 0, got {self.scale}.")

    def hands(self, human: HumanArm) -> FloatArray:
        """Return where the tip is to be, (T, 3) m, robot's base."""
        out = human.points[:, 3] - human.points[:, 0]
        return np.asarray(self.shoulder + self.scale * out @ self.rotation.T)

    def directions(self, human: HumanArm) -> FloatArray:
        """Return the unit vectors (T, 3, 3) along the human's arm, robot's base."""
        return np.asarray(human.directions() @ self.rotation.T)


def shoulder_on_shoulder(human: HumanArm, arm: RobotArm, rotation: FloatArray | None = None) -> Placement:
    """Return the placement by which an outstretched human arm is an outstretched robot's."""
    R = np.eye(3) if rotation is None else np.asarray(rotation, np.float64)
    return Placement(R, arm.reach / float(human.lengths.sum()), arm.shoulder)
