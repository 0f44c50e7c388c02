"""One camera's picture of one moment, with its pose: points to pixels and pixels to points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, CameraModel, DepthArray, FloatArray, ImageArray, JointState

Pixels = npt.NDArray[np.intp]

NEAREST = 0.01  # m; nothing is seen nearer to a camera than this


@dataclass(frozen=True, slots=True)
class Eye:
    """A camera that looked from `X_BC`."""

    model: CameraModel
    X_BC: FloatArray  # (4, 4)
    rgb: ImageArray  # (h, w, 3)
    depth: DepthArray  # (h, w) m, 0 where there is none

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the pixels (n, 2), column and row, and the distances along the optical axis (n,) m."""
        x, y, far = ((points - self.X_BC[:3, 3]) @ self.X_BC[:3, :3]).T
        safe = np.maximum(far, NEAREST)
        model = self.model
        pixels = np.stack([model.fx * x / safe + model.cx, model.fy * y / safe + model.cy], axis=1)
        return pixels, far

    def lift(self, columns: FloatArray, rows: FloatArray, far: FloatArray) -> FloatArray:
        """Return the points (n, 3) m, base frame, at pixels (n,) and distances (n,) m."""
        model = self.model
        x, y = (columns - model.cx) / model.fx * far, (rows - model.cy) / model.fy * far
        points: FloatArray = np.stack([x, y, far], axis=1) @ self.X_BC[:3, :3].T + self.X_BC[:3, 3]
        return points

    def look_up(self, pixels: FloatArray) -> tuple[Pixels, Pixels, npt.NDArray[np.bool_]]:
        """Return rows and columns of the nearest pixels (n,), and which of them are in the picture.

        Those outside are moved to the edge.
        """
        columns, rows = np.rint(pixels).astype(np.intp).T
        model = self.model
        inside = (columns >= 0) & (columns < model.width) & (rows >= 0) & (rows < model.height)
        return rows.clip(0, model.height - 1), columns.clip(0, model.width - 1), inside


def open_eyes(
    hardware: Hardware, names: Iterable[str], frames: Mapping[str, CameraFrame], joints: JointState
) -> dict[str, Eye]:
    """Return the eyes of those cameras that delivered a frame with depth."""
    eyes = {}
    for name in names:
        frame = frames.get(name)
        if frame is not None and frame.depth is not None:
            model = hardware.cameras[name]
            X_BC = hardware.robot.chain.pose(model.link, joints.position) @ model.X_LC
            eyes[name] = Eye(model, X_BC, frame.rgb, frame.depth)
    return eyes
