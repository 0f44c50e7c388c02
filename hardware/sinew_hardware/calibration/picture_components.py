"""What a room camera's pictures tell of a joint that moves alone: where they are along their main change."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from sinew_core.types import FloatArray, ImageArray

from sinew_hardware.calibration.board import grey

SMALL = (16, 12)  # px, width and height: coarse, so that brightness changes smoothly with the joint


def main_component(frames: Sequence[ImageArray]) -> FloatArray:
    """Return the first principal component (m, 1) of pictures (h, w, 3), shrunk to a few grey cells.

    It suits a camera that stands still and sees the arm move before it. Where the whole picture moves, as
    a wrist camera's does, it goes round in circles: the flow (`picture_motion`) suits that one.
    """
    small = [cv2.resize(grey(f), SMALL, interpolation=cv2.INTER_AREA).ravel() for f in frames]
    cells = np.array(small, dtype=np.float64)
    cells -= cells.mean(axis=0)
    left, strength, _ = np.linalg.svd(cells, full_matrices=False)
    component: FloatArray = left[:, :1] * strength[:1]
    return component
