"""Which detection is which track: optimal assignment by distance, kind and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sinew_core.types import Keypoint

from sinew_perception.tracking.assignment import assign
from sinew_perception.tracking.track import Track, kind_of, likeness

SHAPE = 0.7  # the cost of another shape, beside 1 for a distance as wide as the gate
SIZE = 0.3  # the cost of another size, at most
SAME_SIZE = 0.15  # relative, or SAME_LENGTH
SAME_LENGTH = 0.004  # m
FRAGMENT = 0.015  # m around an object in which pieces of its colour belong to it

Detections = Mapping[str, Keypoint]


def match(
    tracks: Sequence[Track], found: Detections, stamp: int, gate: float, speed: float
) -> dict[str, str]:
    """Return the name of the detection that belongs to each track, by the track's name.

    A track is looked for within `gate` m, plus `speed` (m/s) for as long as it has been unseen.
    """
    names = list(found)
    costs = np.full((len(tracks), len(names)), np.inf)
    for i, track in enumerate(tracks):
        widest = gate + speed * track.unseen(stamp)
        for j, name in enumerate(names):
            other = likeness(track.kind, kind_of(name))
            distance = float(np.linalg.norm(found[name].position - track.position))
            if other is not None and distance <= widest:
                costs[i, j] = distance / gate + SHAPE * other + SIZE * (not same_size(track, found[name]))
    return {tracks[i].name: names[j] for i, j in assign(costs)}


def same_size(track: Track, seen: Keypoint) -> bool:
    """Tell whether a detection is about as large as the track's object; without extents, it is."""
    if track.keypoint.extent is None or seen.extent is None:
        return True
    off = np.abs(seen.extent - track.keypoint.extent)
    return bool((off <= np.maximum(SAME_SIZE * track.keypoint.extent, SAME_LENGTH)).all())


def only_one(tracks: Sequence[Track], names: Sequence[str]) -> dict[str, str]:
    """Pair the tracks and detections that can be nothing else, by the track's name.

    The only ones of their kind; then, of what is left, the only ones of their colour: what has fallen
    over has another shape. What was never plainly seen as what it is called may not even be of that kind.
    """
    pairs: dict[str, str] = {}
    for nearest in (0.0, 1.0):
        free = [track for track in tracks if track.name not in pairs and (track.sure or not nearest)]
        left = [name for name in names if name not in pairs.values()]
        for track in free:
            mine = [name for name in left if _as_like(track.kind, name, nearest)]
            rivals = [other for other in free if mine and _as_like(other.kind, mine[0], nearest)]
            if len(mine) == len(rivals) == 1:
                pairs[track.name] = mine[0]
    return pairs


def _as_like(kind: str, name: str, most: float) -> bool:
    other = likeness(kind, kind_of(name))
    return other is not None and other <= most


def is_fragment(name: str, seen: Keypoint, tracks: Sequence[Track], stamp: int) -> bool:
    """Tell whether a detection is a piece of an object that these frames show anyway."""
    return any(
        track.seen == stamp
        and likeness(track.kind, kind_of(name)) is not None
        and np.linalg.norm((seen.position - track.position)[:2]) < track.extent[:2].max() / 2 + FRAGMENT
        for track in tracks
    )
