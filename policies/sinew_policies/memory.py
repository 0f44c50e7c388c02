"""What a policy knows of the objects: what is seen now, and where hidden things were last seen."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray, Keypoint, Observation


class ObjectView:
    """The keypoints of the present observation and a memory of earlier ones."""

    def __init__(self) -> None:
        self._now: dict[str, Keypoint] = {}
        self._memory: dict[str, Keypoint] = {}

    def reset(self) -> None:
        """Forget everything."""
        self._now, self._memory = {}, {}

    def update(self, observation: Observation) -> None:
        """Take what is seen now."""
        self._now = {name: item for name, item in observation.keypoints.items() if item.visible}
        self._memory.update(observation.keypoints)

    def seen(self, where: str | FloatArray | None) -> Keypoint | None:
        """Return a keypoint that is seen now; a point is always seen."""
        if isinstance(where, str):
            return self._now.get(where)
        return None if where is None else Keypoint(where)

    def known(self, where: str | FloatArray | None) -> Keypoint | None:
        """Return a keypoint where it was last seen, or is believed to be; a point is always known."""
        return self._memory.get(where) if isinstance(where, str) else self.seen(where)

    def others(self, where: str | FloatArray | None) -> list[Keypoint]:
        """Return everything known but the object `where`."""
        own = where if isinstance(where, str) else None
        return [keypoint for name, keypoint in self._memory.items() if name != own]


def width_along(item: Keypoint, direction: float, default: float) -> float:
    """Return how wide an object is along a horizontal direction (rad), m; `default` if unknown."""
    if item.extent is None:
        return default
    if item.yaw is None:  # round, or not known to be otherwise
        return float(min(item.extent[:2]))
    angle = direction - item.yaw
    along, across = item.extent[0], item.extent[1]
    if abs(np.sin(2 * angle)) < 0.5:  # the jaws lie against a face
        return float(along if abs(np.cos(angle)) > abs(np.sin(angle)) else across)
    return float(abs(np.cos(angle)) * along + abs(np.sin(angle)) * across)
