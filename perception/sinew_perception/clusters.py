"""Grouping coloured points into objects: one label for what hangs together in colour and in space."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_perception.views import Indices

HEIGHT_GAP = 0.016  # m; farther apart in height, one above the other, are two objects
SEVERED = 0.9  # pieces of an object that something in front cuts apart own less of their outlines
SEVERED_GAP = 0.025  # m between such pieces, at most
LONGER = 1.3  # the whole may be than the longer piece: what cuts across leaves the length
SEVERED_STEP = 0.008  # m between their tops, at most

_BRIDGE = np.ones((3, 3), np.uint8)


def group(points: FloatArray, colours: npt.NDArray[np.uint8], cell: float, min_points: int) -> list[Indices]:
    """Return the members of each object among points (3, n); specks of fewer than `min_points` are none.

    Points of one colour hang together when they touch on a grid of `cell` m seen from above, and no gap
    in height divides them. Seen from above, a side view and a top view of one object fall on each other.
    """
    objects = []
    for colour in np.flatnonzero(np.bincount(colours)):
        members = np.flatnonzero(colours == colour)
        for part in _touching(points[:2, members], cell):
            levels = _levels(points[2, members[part]])
            objects += [members[part[level]] for level in levels if len(level) >= min_points]
    return objects


def _touching(ground: FloatArray, cell: float) -> Iterator[Indices]:
    """Divide points on the ground (2, n) into those that touch on the grid."""
    x, y = ((axis - axis.min()) / cell + 1 for axis in ground)
    at = x.astype(np.intp), y.astype(np.intp)
    grid = np.zeros((int(at[0].max()) + 2, int(at[1].max()) + 2), dtype=np.uint8)
    grid[at] = 1
    count, components = cv2.connectedComponents(cv2.dilate(grid, _BRIDGE), connectivity=4)
    labels = components[at]
    return (np.flatnonzero(labels == label) for label in range(1, count))


def _levels(heights: FloatArray) -> list[Indices]:
    """Divide heights (n,) where a gap shows that one object is above another."""
    if np.diff(np.sort(heights)).max(initial=0.0) <= HEIGHT_GAP:
        return [np.arange(len(heights))]
    order = np.argsort(heights)
    return np.split(order, np.flatnonzero(np.diff(heights[order]) > HEIGHT_GAP) + 1)


def join_severed(
    points: FloatArray, colours: npt.NDArray[np.uint8], objects: list[Indices], own: FloatArray
) -> list[tuple[Indices, float]]:
    """Put the pieces of an object that something in front cuts apart together; return (members, own) of all.

    Two pieces are one object when one of them is partly hidden (`own`, (count,), below SEVERED) and they
    have one colour and one height, lie close together, and make a compact whole.
    """
    joined: list[tuple[Indices, float]] = []
    for members, share in zip(objects, own, strict=True):
        whole = members, float(share)
        for i, (other, other_share) in enumerate(joined):
            severed = min(share, other_share) < SEVERED and colours[members[0]] == colours[other[0]]
            if severed and _compact(points[:, members], points[:, other]):
                whole = np.concatenate([other, members]), float(max(share, other_share))
                del joined[i]
                break
        joined.append(whole)
    return joined


def _compact(a: FloatArray, b: FloatArray) -> bool:
    if abs(a[2].max() - b[2].max()) > SEVERED_STEP:
        return False
    gap = np.maximum(a.min(axis=1), b.min(axis=1)) - np.minimum(a.max(axis=1), b.max(axis=1))
    if gap[:2].max() > SEVERED_GAP:
        return False
    length, width = _sides(np.hstack([a, b]))
    return length < 1.5 * width and length < LONGER * max(_sides(a)[0], _sides(b)[0])


def _sides(points: FloatArray) -> tuple[float, float]:
    """Return the longer and the shorter side of the smallest box around points (3, n), seen from above."""
    _, sides, _ = cv2.minAreaRect(points[:2].T.astype(np.float32))
    return max(sides), min(sides)
