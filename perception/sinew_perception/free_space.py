"""Free places on the table: where something can be put or pushed to, away from everything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from sinew_core.types import FloatArray, Keypoint

from sinew_perception.waypoints import extent

GRID = 0.01  # m between the places that are looked at
ROOM = 0.048  # m beside an object, for the jaws to come back to it
LEAST = 0.012  # m beside an object, without which it does not fit at all
PUSHES = tuple(np.arange(0.075, 0.1151, 0.01))  # m; a push back is as long
BEHIND = 0.05  # m behind an object, where the tip begins a push
LANE = 0.045  # m on either side of a push, free of others

Area = tuple[Sequence[float], Sequence[float]]  # lower and upper corner (2,) of the table within reach, m


def radius(thing: Keypoint) -> float:
    """Return the radius of the circle around a thing's footprint, m."""
    along, across, _ = extent(thing)
    return float(np.hypot(along, across)) / 2 if thing.yaw is not None else float(max(along, across)) / 2


def free_place(moved: Keypoint, others: Iterable[Keypoint], area: Area) -> FloatArray | None:
    """Return the free point (3,) on the table that is the nearest to an object, or None if there is none.

    Free is what has ROOM around the object put there, or failing that the most of all places.
    """
    places = _grid(area)
    gaps = np.full(len(places), np.inf)
    for other in others:
        clear = np.linalg.norm(places - other.position[:2], axis=1) - radius(other) - radius(moved)
        gaps = np.minimum(gaps, clear)
    roomy = np.minimum(gaps, ROOM)
    best = roomy.max(initial=-np.inf)
    if best < LEAST:
        return None
    ways = np.linalg.norm(places - moved.position[:2], axis=1)
    ways[roomy < best - 1e-9] = np.inf
    return np.array([*places[int(ways.argmin())], 0.0])


def place_to_push_to(
    moved: Keypoint, leave: Keypoint, others: Iterable[Keypoint], area: Area
) -> FloatArray | None:
    """Return the point (3,) on the table to which an object is best pushed off what it lies on, or None.

    From there it can be pushed back: the tip finds room behind it, inside the area, and both ways lie free
    of all the others, as far as possible.
    """
    lower, upper = np.array(area[0]), np.array(area[1])
    others, best, most = list(others), None, -np.inf
    for angle in np.arange(32) * np.pi / 16:
        way = np.array([np.cos(angle), np.sin(angle)])
        for distance in PUSHES:
            end = leave.position[:2] + distance * way
            start = moved.position[:2] - BEHIND * _unit(end - moved.position[:2])
            ready = end + BEHIND * way
            outside = max(0.0, *(lower - ready), *(ready - upper), *(lower - start), *(start - upper))
            gap = min((_beside(o, start, ready) - radius(o) / 2 for o in others), default=np.inf)
            score = min(gap, LANE) - 0.5 * outside
            if gap >= LEAST and score > most + 1e-9 and _inside(end, lower, upper):
                best, most = end, score
    return None if best is None else np.array([*best, 0.0])


def _grid(area: Area) -> FloatArray:
    axes = [np.arange(low, high + 1e-9, GRID) for low, high in zip(*area, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def _inside(point: FloatArray, lower: FloatArray, upper: FloatArray) -> bool:
    return bool((point >= lower).all() and (point <= upper).all())


def _unit(way: FloatArray) -> FloatArray:
    return way / max(float(np.linalg.norm(way)), 1e-9)


def _beside(thing: Keypoint, start: FloatArray, end: FloatArray) -> float:
    """Return the distance of a thing's centre from a segment, m."""
    way = end - start
    share = np.clip((thing.position[:2] - start) @ way / (way @ way), 0.0, 1.0)
    return float(np.linalg.norm(thing.position[:2] - start - share * way))
