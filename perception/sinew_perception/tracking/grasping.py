"""The gripper as far as joints tell: when its jaws have closed on something, and where that goes then."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from sinew_core.kinematics import transform
from sinew_core.types import FloatArray

WINDOW = 16  # sets of frames in which closing may take place
STILL = 0.01  # of the aperture; jaws that close less from one set to the next have stopped


@dataclass(frozen=True, slots=True)
class Grasp:
    """How an object lay in the jaws when they had closed on it."""

    X_TO: FloatArray  # (4, 4) the object in the tip's frame, its axes those of its surface
    yaw: float | None  # rad, of its keypoint
    heading: float  # rad, of the tip
    aperture: float
    place: FloatArray  # (3,) m, base frame, where that was

    def carried(self, X_BT: FloatArray) -> tuple[FloatArray, FloatArray, float | None]:
        """Return position (3,), rotation (3, 3) and yaw of the object with the tip at `X_BT`."""
        X_BO = X_BT @ self.X_TO
        yaw = None if self.yaw is None else half_turn(self.yaw + heading(X_BT) - self.heading)
        return X_BO[:3, 3], X_BO[:3, :3], yaw


def take(
    X_BT: FloatArray, aperture: float, position: FloatArray, rotation: FloatArray, yaw: float | None
) -> Grasp:
    """Return the grasp of an object at `position` with the tip at `X_BT`."""
    X_BO = transform(position, rotation)
    X_TO = np.asarray(np.linalg.solve(X_BT, X_BO), dtype=np.float64)
    return Grasp(X_TO, yaw, heading(X_BT), aperture, position)


def heading(X_BT: FloatArray) -> float:
    """Return the yaw of the closing axis y, rad."""
    return float(np.arctan2(X_BT[1, 1], X_BT[0, 1]))


def half_turn(angle: float) -> float:
    """Return an angle in [-pi/2, pi/2), where directions without a sense lie."""
    return float((angle + np.pi / 2) % np.pi - np.pi / 2)


class JawWatch:
    """Remembers the last apertures."""

    def __init__(self, closing: float, empty: float) -> None:
        self._closing, self._empty = closing, empty
        self._last: deque[float] = deque(maxlen=WINDOW)

    def reset(self) -> None:
        """Forget them."""
        self._last.clear()

    def closed_on_something(self, aperture: float) -> bool:
        """Take the next aperture; tell whether the jaws have just closed and something stopped them."""
        self._last.append(aperture)
        if len(self._last) < 3 or aperture <= self._empty:
            return False
        a, b, c = list(self._last)[-3:]
        stopped = abs(a - b) < STILL and abs(b - c) < STILL
        closed = max(self._last) - aperture >= self._closing
        if stopped and closed:
            self.reset()
            return True
        return False
