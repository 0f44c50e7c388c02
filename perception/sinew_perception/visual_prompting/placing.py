"""Where labels go: near what they name, beside objects rather than on them, never on one another."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray

from sinew_perception.geometry import Mask

STEPS = (8.0, 14.0, 22.0, 32.0, 44.0, 58.0)  # px from the marked pixel to the label's middle, beyond its size
DIRECTIONS = np.arange(24) * np.pi / 12  # rad
GAP = 2  # px between labels
HIDES_OBJECT = 0.4  # per px of an object that a label covers
HIDES_LABEL = 20.0  # per px of another label
CROSSES = 60.0  # per mark of another point that the leader line comes near
TURNED = 14.0  # for a label on the side away from the outside of its object
NEAR = 5.0  # px from a leader line


class Placer:
    """Remembers what is taken; all in pixels of the image drawn on."""

    def __init__(self, objects: Mask, points: FloatArray) -> None:
        """Take where objects are (h, w), and the marked points (n, 2)."""
        self._height, self._width = objects.shape
        self._covered = np.pad(objects, ((1, 0), (1, 0))).astype(np.int64).cumsum(0).cumsum(1)
        self._points = points
        self._taken: list[FloatArray] = []  # left, top, right, bottom

    def take(self, corner: FloatArray, size: tuple[int, int]) -> None:
        """Keep later labels off a rectangle."""
        self._taken.append(np.array([*corner, *(np.asarray(corner) + size)]))

    def corner(self, corners: FloatArray, size: tuple[int, int]) -> FloatArray:
        """Return which of the corners (k, 2) hides least, the first of equals, and take it."""
        boxes = [self._box(np.asarray(corner), size) for corner in corners]
        best = boxes[int(np.argmin([self._hidden(box) for box in boxes]))]
        self._taken.append(best)
        return best[:2]

    def beside(self, index: int, middle: FloatArray, size: tuple[int, int]) -> FloatArray:
        """Return the upper left corner for the label of a point, `middle` being its object's; take it."""
        point, half = self._points[index], np.array(size) / 2
        outward = point - middle
        best, least = np.zeros(4), np.inf
        for step in STEPS:
            for angle in DIRECTIONS:
                way = np.array([np.cos(angle), np.sin(angle)])
                centre = point + way * (step + abs(way) @ half)
                box = self._box(centre - half, size)
                cost = step + self._hidden(box) + self._turned(way, outward)
                if cost < least:
                    cost += CROSSES * self._crossed(index, point, (box[:2] + box[2:]) / 2, box)
                if cost < least:
                    best, least = box, cost
        self._taken.append(best)
        return best[:2]

    def _box(self, corner: FloatArray, size: tuple[int, int]) -> FloatArray:
        room = np.maximum([self._width - size[0], self._height - size[1]], 0)
        left, top = np.clip(np.rint(corner), 0, room)
        return np.array([left, top, left + size[0], top + size[1]])

    def _hidden(self, box: FloatArray) -> float:
        left, top, right, bottom = box.astype(int)
        covered = self._covered
        objects = covered[bottom, right] - covered[top, right] - covered[bottom, left] + covered[top, left]
        inside = (self._points > box[:2] - 4) & (self._points < box[2:] + 4)
        cost = HIDES_OBJECT * float(objects) + CROSSES * float(inside.all(axis=1).sum())
        if self._taken:
            taken = np.array(self._taken)
            shared = np.minimum(box[2:], taken[:, 2:] + GAP) - np.maximum(box[:2], taken[:, :2] - GAP)
            cost += HIDES_LABEL * float(np.prod(np.maximum(shared, 0), axis=1).sum())
        return cost

    def _turned(self, way: FloatArray, outward: FloatArray) -> float:
        length = float(np.linalg.norm(outward))
        return 0.0 if length < 1 else TURNED * (1 - float(way @ outward) / length) / 2

    def _crossed(self, index: int, start: FloatArray, end: FloatArray, box: FloatArray) -> int:
        """Return how many other marked points or labels the leader line comes near."""
        count = 0
        others = np.delete(self._points, index, axis=0)
        along = end - start
        share = np.clip(((others - start) @ along) / max(float(along @ along), 1.0), 0.0, 1.0)
        count += int((np.linalg.norm(others - start - share[:, None] * along, axis=1) < NEAR).sum())
        samples = start + np.linspace(0.2, 1.0, 8)[:, None] * along
        for left, top, right, bottom in self._taken:
            x, y = samples.T
            count += bool(((x > left) & (x < right) & (y > top) & (y < bottom)).any())
        return count
