"""What moved in a series of pictures: a marker's place, or the flow of everything in sight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray, ImageArray

from sinew_hardware.calibration.board import Corners, grey

OFTEN = 0.8  # of the frames in which a corner must be seen to be followed
WIDTH = 320  # px to which pictures are shrunk for the flow


def marker_motion(corners: Sequence[Corners]) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return which frames (m,) show the marker or board as a whole, and its middle's pixel (m, 2) there.

    Raises ConfigError where it is seen in too few frames.
    """
    seen = [set(c.ids.tolist()) for c in corners]
    times = {i: sum(i in ids for ids in seen) for ids in seen for i in ids}
    common = {i for i, count in times.items() if count >= OFTEN * len(corners)}
    frames = np.array([k for k, ids in enumerate(seen) if common <= ids], dtype=np.intp)
    if not common or len(frames) < OFTEN / 2 * len(corners):
        share = 100 * np.mean([bool(ids) for ids in seen]) if seen else 0
        raise ConfigError(
            f"The marker is seen in {share:.0f} % of the frames, and not the same part of it: sweep "
            "the joint so that it stays in the picture, slowly enough not to blur it."
        )
    middles = [corners[k].pixels[np.isin(corners[k].ids, list(common))].mean(axis=0) for k in frames]
    return frames, np.array(middles)


def picture_motion(frames: Sequence[ImageArray]) -> FloatArray:
    """Return the flow (m, 2) of pictures (h, w, 3) since the first, summed up; px, over all of the picture.

    It needs no marker: one joint alone moves, so what has flowed in sum depends on its position only.
    """
    scale = min(WIDTH / frames[0].shape[1], 1.0)
    small = [cv2.resize(grey(f), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for f in frames]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    steps = [flow.calc(a, b, None).reshape(-1, 2).mean(axis=0) for a, b in pairwise(small)]
    total: FloatArray = np.cumsum([np.zeros(2), *steps], axis=0) / scale
    return total
