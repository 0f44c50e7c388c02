"""Grouping coloured points into objects: one label for what hangs together in colour and in space."""

from __future__ import annotations

import cv2
import numpy as np

from sinew_core.types import FloatArray
from sinew_perception.views import Indices

HEIGHT_GAP = 0.03  # m; farther apart in height, one above the other, are two objects


def group(points: FloatArray, colours: Indices, cell: float, min_points: int) -> Indices:
    """Return a label (n,) for each point (n, 3), from 0 up; -1 for specks of fewer than `min_points`.

    Points of one colour hang together when they touch on a grid of `cell` m seen from above, and no gap
    in height divides them. Seen from above, a side view and a top view of one object fall on each other.
    """
    labels = np.full(len(points), -1, dtype=np.intp)
    count = 0
    for colour in np.unique(colours):
        members = np.flatnonzero(colours == colour)
        for part in _touching(points[members, :2], cell):
            for group_ in _levels(points[members[part], 2]):
                if len(group_) >= min_points:
                    labels[members[part[group_]]] = count
                    count += 1
    return labels


def _touching(ground: FloatArray, cell: float) -> list[Indices]:
    """Divide points on the ground (n, 2) into those that touch on the grid."""
    at = ((ground - ground.min(axis=0)) / cell).astype(np.intp) + 1
    grid = np.zeros(at.max(axis=0) + 2, dtype=np.uint8)
    grid[at[:, 0], at[:, 1]] = 1
    bridged = cv2.dilate(grid, np.ones((3, 3), np.uint8))
    _, components = cv2.connectedComponents(bridged, connectivity=4)
    return _by_label(components[at[:, 0], at[:, 1]] - 1)


def _levels(heights: FloatArray) -> list[Indices]:
    """Divide heights (n,) where a gap shows that one object is above another."""
    order = np.argsort(heights)
    gaps = np.flatnonzero(np.diff(heights[order]) > HEIGHT_GAP)
    return np.split(order, gaps + 1)


def _by_label(labels: Indices) -> list[Indices]:
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(np.bincount(labels))[:-1]
    return np.split(order, starts)


def join_severed(points: FloatArray, labels: Indices, colours: Indices, own: FloatArray) -> Indices:
    """Give one label to pieces of one object that something in front has cut apart.

    Two pieces are one object when both are partly hidden (`own`, (count,), below 0.9), have one colour and
    one height, lie close together, and make a compact whole.
    """
    pieces = [label for label in range(len(own)) if own[label] < 0.9]
    joined = labels.copy()
    for i, first in enumerate(pieces):
        for second in pieces[i + 1 :]:
            a, b = np.flatnonzero(joined == first), np.flatnonzero(joined == second)
            if len(a) and len(b) and colours[a[0]] == colours[b[0]] and _compact(points[a], points[b]):
                joined[a] = second
    return joined


def _compact(a: FloatArray, b: FloatArray) -> bool:
    if abs(a[:, 2].max() - b[:, 2].max()) > 0.008:
        return False
    gap = np.maximum(a.min(axis=0), b.min(axis=0)) - np.minimum(a.max(axis=0), b.max(axis=0))
    if gap[:2].max() > 0.025:
        return False
    _, sides, _ = cv2.minAreaRect(np.vstack([a, b])[:, :2].astype(np.float32))
    return bool(max(sides) < 1.5 * min(sides))
