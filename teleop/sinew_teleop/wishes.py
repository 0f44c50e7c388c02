"""What a person wants of the arm at one moment, the same for every relative device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from sinew_core.types import FloatArray

Frame = Literal["base", "tip"]


def _zero() -> FloatArray:
    return np.zeros(3)


@dataclass(frozen=True, slots=True)
class Wish:
    """Motion of the tip, or of single joints, and of the gripper; all zero: stay."""

    linear: FloatArray = field(default_factory=_zero)  # (3,) m/s
    angular: FloatArray = field(default_factory=_zero)  # (3,) rad/s
    frame: Frame = "base"  # in which both are given; the turn is about the tip in either case
    turn: float = 0.0  # rad/s about the approach axis; of a gripper that points down, as +z turns
    tilt: float = 0.0  # rad/s about the horizontal axis across the arm; positive looks outward and up
    joints: FloatArray | None = None  # (n,) rad/s or m/s; instead of the motion of the tip
    aperture: float = 0.0  # of the gripper, share of its speed in [-1, 1]; positive opens

    @property
    def moves(self) -> bool:
        """Whether anything but the gripper is to move."""
        if self.joints is not None:
            return bool(np.any(self.joints))
        return bool(np.any(self.linear) or np.any(self.angular) or self.turn or self.tilt)

    def twist(self, X_BT: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the linear and the angular velocity (3,) in the base frame, of a tip at `X_BT` (4, 4)."""
        rotation, point = X_BT[:3, :3], X_BT[:3, 3]
        linear, angular = self.linear, self.angular
        if self.frame == "tip":
            linear, angular = rotation @ linear, rotation @ angular
        outward = np.array([point[0], point[1], 0.0])
        across = np.cross(outward, [0.0, 0.0, 1.0]) / max(float(np.linalg.norm(outward)), 1e-6)
        return linear.copy(), angular - self.turn * rotation[:, 2] + self.tilt * across
