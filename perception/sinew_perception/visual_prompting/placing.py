"""Where labels go: near what they name, beside objects rather than on them, never on one another."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.geometry import Mask

STEPS = np.array([8.0, 14.0, 22.0, 32.0, 44.0, 58.0])  # px from the point to the label's nearest edge, about
DIRECTIONS = np.arange(24) * np.pi / 12  # rad
GAP = 2  # px between labels
HIDES_OBJECT = 0.4  # per px of an object that a label covers
HIDES_LABEL = 20.0  # per px of another label
CROSSES = 60.0  # per other point or label that a label or its leader line comes near
TURNED = 14.0  # for a label on the side away from the outside of its object
NEAR = 5.0  # px from a leader line
ALONG = np.linspace(0.2, 1.0, 8)[:, None]  # where a leader line is looked at

Boxes = FloatArray  # (k, 4) px: left, top, right, bottom


class Placer:
    """Remembers what is taken; all in pixels of the image drawn on."""

    def __init__(self, objects: Mask, points: FloatArray) -> None:
        """Take where objects are (h, w), and the marked points (n, 2)."""
        self._room = np.array([objects.shape[1], objects.shape[0]])
        self._covered = np.pad(objects, ((1, 0), (1, 0))).astype(np.int64).cumsum(0).cumsum(1)
        self._points = points
        self._taken: Boxes = np.empty((0, 4))

    def corner(self, corners: FloatArray, size: tuple[int, int]) -> FloatArray:
        """Return which of the corners (k, 2) hides least, the first of equals, and take it."""
        boxes = self._boxes(corners, size)
        return self._take(boxes[np.argmin(self._hidden(boxes))])

    def beside(self, index: int, middle: FloatArray, size: tuple[int, int]) -> FloatArray:
        """Return the upper left corner for the label of a point, `middle` being its object's; take it."""
        point, half = self._points[index], np.array(size) / 2
        steps, angles = (grid.ravel() for grid in np.meshgrid(STEPS, DIRECTIONS, indexing="ij"))
        ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        boxes = self._boxes(point + ways * (steps + abs(ways) @ half)[:, None] - half, size)
        cost = steps + self._hidden(boxes) + _turned(ways, point - middle)
        cost += CROSSES * self._crossed(index, (boxes[:, :2] + boxes[:, 2:]) / 2)
        return self._take(boxes[np.argmin(cost)])

    def _take(self, box: FloatArray) -> FloatArray:
        self._taken = np.vstack([self._taken, box])
        return box[:2]

    def _boxes(self, corners: FloatArray, size: tuple[int, int]) -> Boxes:
        """Return the boxes at corners (k, 2), moved into the image."""
        inside = np.clip(np.rint(corners), 0, np.maximum(self._room - size, 0))
        return np.hstack([inside, inside + size])

    def _hidden(self, boxes: Boxes) -> FloatArray:
        """Return what each box costs (k,) by what it covers."""
        left, top, right, bottom = boxes.astype(int).T
        covered = self._covered
        objects = covered[bottom, right] - covered[top, right] - covered[bottom, left] + covered[top, left]
        apart = np.maximum(boxes[:, None, :2] - self._points, self._points - boxes[:, None, 2:]).max(axis=2)
        upper = np.minimum(boxes[:, None, 2:], self._taken[:, 2:] + GAP)
        lower = np.maximum(boxes[:, None, :2], self._taken[:, :2] - GAP)
        shared = np.maximum(upper - lower, 0).prod(axis=2).sum(axis=1)
        cost: FloatArray = HIDES_OBJECT * objects + CROSSES * (apart < 4).sum(axis=1) + HIDES_LABEL * shared
        return cost

    def _crossed(self, index: int, ends: FloatArray) -> FloatArray:
        """Return how many other points and labels the leader lines to the ends (k, 2) come near, (k,)."""
        start, others = self._points[index], np.delete(self._points, index, axis=0)
        along = ends - start
        share = (along @ (others - start).T) / np.maximum((along**2).sum(axis=1), 1.0)[:, None]
        nearest = start + np.clip(share, 0.0, 1.0)[:, :, None] * along[:, None]
        points = (np.linalg.norm(others - nearest, axis=2) < NEAR).sum(axis=1)
        samples = start + ALONG * along[:, None]  # (k, 8, 2)
        within = samples[:, :, None] > self._taken[:, :2]
        within &= samples[:, :, None] < self._taken[:, 2:]
        crossed: FloatArray = points + within.all(axis=3).any(axis=1).sum(axis=1)
        return crossed


def _turned(ways: FloatArray, outward: FloatArray) -> FloatArray:
    """Return what directions (k, 2) cost by pointing away from the outside, (k,)."""
    length = float(np.linalg.norm(outward))
    if length < 1:
        return np.zeros(len(ways))
    cost: FloatArray = TURNED * (1 - ways @ outward / length) / 2
    return cost
