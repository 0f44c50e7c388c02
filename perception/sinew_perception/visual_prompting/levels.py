"""Labelled heights above the middle of the workspace: h0 on the table, the next ones evenly spaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.geometry import PosedCamera, lift, project


@dataclass(frozen=True, slots=True)
class Levels:
    """Heights over one place on the table."""

    count: int
    highest: float  # m
    foot: FloatArray  # (2,) m, base frame

    def heights(self) -> Mapping[str, float]:
        """Return the heights by their labels, m."""
        return {f"h{i}": i * self.highest / max(self.count - 1, 1) for i in range(self.count)}

    def pixel(self, camera: PosedCamera, label: str) -> FloatArray:
        """Return the pixel (2,) of a level over the foot."""
        pixel: FloatArray = project(camera, np.array([[*self.foot, self.heights()[label]]]))[0]
        return pixel

    def height_at(self, camera: PosedCamera, pixel: FloatArray) -> float:
        """Return the height over the foot that a pixel (2,) shows, m.

        The ray is followed to the upright plane through the foot that faces the camera.
        """
        eye = camera.X_BC[:3, 3]
        facing = np.append(self.foot - eye[:2], 0.0)
        way = lift(camera, np.asarray(pixel)[None], np.ones(1))[0] - eye
        return float(eye[2] + way[2] * (facing @ facing) / (facing @ way))
