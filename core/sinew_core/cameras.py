"""Cameras in a hardware file: where each one is, what it delivers, and the device behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sinew_core.types import CameraModel

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class IntrinsicsConfig:
    """A calibrated lens: pinhole intrinsics in px, and distortion as OpenCV orders it.

    What a camera delivers is undistorted by its driver, so that the graph sees the pinhole alone.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()  # k1, k2, p1, p2, k3

    def __post_init__(self) -> None:
        """Check the signs, and the number of the coefficients."""
        if min(self.fx, self.fy) <= 0:
            raise ValueError(f"fx and fy must be positive, got {self.fx} and {self.fy}.")
        if len(self.distortion) not in {0, 4, 5, 8}:
            raise ValueError(
                f"distortion: expected 0, 4, 5 or 8 coefficients of OpenCV, got {len(self.distortion)}."
            )


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """Where a camera is and what it delivers; metres in the frame of `link`."""

    width: int
    height: int
    fovy: float  # degrees, vertical; nominal where `intrinsics` are given
    position: Vector
    look_at: Vector
    up: Vector = (0.0, 0.0, 1.0)  # roughly; must not lie along the line of sight
    link: str = ""  # the base link when empty
    depth: bool = True
    every: int = 1  # control periods from frame to frame; 0: only when somebody asks
    intrinsics: IntrinsicsConfig | None = None  # of a calibration
    device: Mapping[str, Any] | None = None  # plugin of its driver; simulators draw theirs

    def __post_init__(self) -> None:
        """Check sizes and that the viewing direction is defined."""
        if min(self.width, self.height) < 16 or not 1 < self.fovy < 170:
            raise ValueError("a camera needs at least 16x16 pixels and 1 < fovy < 170 degrees.")
        forward = np.subtract(self.look_at, self.position)
        if np.linalg.norm(np.cross(forward, self.up)) < 1e-6:
            raise ValueError("up must not lie along the line from position to look_at.")

    def model(self, name: str, base_link: str) -> CameraModel:
        """Return the pinhole model: as calibrated, or square pixels with the principal point amid them."""
        z = np.subtract(self.look_at, self.position)
        z = z / np.linalg.norm(z)
        x = np.cross(z, self.up)
        x = x / np.linalg.norm(x)
        X = np.eye(4)
        X[:3, :3], X[:3, 3] = np.column_stack([x, np.cross(z, x), z]), self.position
        link, lens = self.link or base_link, self.intrinsics
        if lens is not None:
            return CameraModel(name, self.width, self.height, lens.fx, lens.fy, lens.cx, lens.cy, link, X)
        f = 0.5 * self.height / np.tan(np.radians(self.fovy) / 2)
        cx, cy = (self.width - 1) / 2, (self.height - 1) / 2
        return CameraModel(name, self.width, self.height, f, f, cx, cy, link, X)
