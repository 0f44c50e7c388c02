"""Where things come to rest when the gripper lets them go."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.tracking.track import Track

HOLLOW = "bowl"
BOTTOM = 0.004  # m, of a bowl


def resting(track: Track, others: Iterable[Track]) -> FloatArray:
    """Return the place (3,) m straight below an object where it lies on the table or on another.

    In a bowl it lies on the bottom.
    """
    underside = track.position[2] - track.extent[2] / 2
    heights = [0.0]
    for other in others:
        top = other.position[2] + other.extent[2] / 2
        beside = np.linalg.norm((other.position - track.position)[:2]) > other.extent[:2].min() / 2
        if other.name == track.name or beside:
            continue
        if other.kind.endswith(HOLLOW):
            heights.append(other.position[2] - other.extent[2] / 2 + BOTTOM)
        elif top < underside + track.extent[2] / 2:
            heights.append(top)
    return np.array([*track.position[:2], max(heights) + track.extent[2] / 2])
