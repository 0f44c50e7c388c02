"""An image to draw on: lines and signs with a dark rim, labels that keep out of one another's way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from sinew_core.types import FloatArray, ImageArray

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
RIM: Colour = (20, 20, 24)
SUBPIXEL = 4  # bits
TEXT = 13  # px, of a letter's height
PADDING = 3  # px between a label's letters and its edge
REACH = (0, 14, 26, 40)  # px, from a label's anchor to the label, tried in turn


class Box(NamedTuple):
    """A rectangle on the canvas, px."""

    left: int
    top: int
    right: int
    bottom: int

    def overlap(self, other: Box) -> int:
        """Return the area that two boxes share, px^2."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


class Canvas:
    """A copy of an image, enlarged to at least `width` px, drawn on in the image's own pixels.

    Points are (column, row) of the image that was given, and may be fractions; sizes are in px of the
    canvas, so that text and lines look alike on images of any size.
    """

    def __init__(self, image: ImageArray, width: int = 640) -> None:
        self.scale = max(1, -(-width // image.shape[1]))
        size = (image.shape[1] * self.scale, image.shape[0] * self.scale)
        self.image: ImageArray = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        if self.image.base is not None or self.image is image:
            self.image = self.image.copy()
        self.taken: list[Box] = []  # by labels, and by what they must not cover
        self._font = cv2.FontFace("sans")

    def at(self, point: FloatArray) -> FloatArray:
        """Return where a point of the image is on the canvas, px."""
        there: FloatArray = (np.asarray(point, dtype=np.float64) + 0.5) * self.scale - 0.5
        return there

    def line(self, points: Sequence[FloatArray], colour: Colour, thickness: int = 2) -> None:
        """Draw a line through points, (2,) each."""
        ends = np.rint(np.array([self.at(p) for p in points]) * 2**SUBPIXEL).astype(np.int32)
        for stroke, width in ((RIM, thickness + 2), (colour, thickness)):
            cv2.polylines(self.image, [ends], False, stroke, width, cv2.LINE_AA, SUBPIXEL)

    def disc(self, point: FloatArray, colour: Colour, radius: float = 4.0) -> None:
        """Draw a filled circle."""
        self._circle(point, radius + 1.5, RIM, -1)
        self._circle(point, radius, colour, -1)

    def ring(self, point: FloatArray, colour: Colour, radius: float = 7.0, thickness: int = 2) -> None:
        """Draw a circle."""
        self._circle(point, radius, RIM, thickness + 2)
        self._circle(point, radius, colour, thickness)

    def cross(self, point: FloatArray, colour: Colour, radius: float = 7.0) -> None:
        """Draw an upright cross."""
        r = radius / self.scale
        for step in (np.array([r, 0.0]), np.array([0.0, r])):
            self.line([point - step, point + step], colour)

    def label(self, text: str, anchor: FloatArray, colour: Colour = WHITE, clear: float = 6.0) -> None:
        """Write a label beside a point, `clear` px away from it, where it hides the least."""
        box = self._place(text, self.at(anchor), clear)
        self.taken.append(box)
        if box.overlap(self._around(anchor, clear + REACH[1])) == 0:  # it had to move away: say from where
            nearest = np.clip(self.at(anchor), [box.left, box.top], [box.right, box.bottom])
            self.line([anchor, (nearest + 0.5) / self.scale - 0.5], colour, 1)
        self._write(text, box, colour)

    def keep_free(self, point: FloatArray, radius: float) -> None:
        """Let no later label cover a point's surroundings."""
        self.taken.append(self._around(point, radius))

    def banner(self, text: str, *, bottom: bool = False, colour: Colour = WHITE) -> None:
        """Write a line across the upper or the lower edge, cut off where the image ends."""
        height, width = self.image.shape[:2]
        while text and self._size(text)[0] > width - 2 * PADDING:
            text = text[:-2].rstrip() + "…" if len(text) > 2 else ""
        top = height - TEXT - 4 * PADDING if bottom else 0
        box = Box(0, top, width, top + TEXT + 4 * PADDING)
        self.taken.append(box)
        self._shade(box)
        self._text(text, 2 * PADDING, box.bottom - 2 * PADDING - 1, colour)

    def _circle(self, point: FloatArray, radius: float, colour: Colour, thickness: int) -> None:
        x, y = np.rint(self.at(point) * 2**SUBPIXEL).astype(int).tolist()
        r = round(radius * 2**SUBPIXEL)
        cv2.circle(self.image, (x, y), r, colour, thickness, cv2.LINE_AA, SUBPIXEL)

    def _around(self, point: FloatArray, radius: float) -> Box:
        x, y = self.at(point).tolist()
        return Box(int(x - radius), int(y - radius), int(x + radius), int(y + radius))

    def _size(self, text: str) -> tuple[int, int]:
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._font, TEXT)
        return int(width), TEXT

    def _place(self, text: str, anchor: FloatArray, clear: float) -> Box:
        """Return the place for a label that covers least of what is there already, the nearest of such."""
        width, height = (size + 2 * PADDING for size in self._size(text))
        rows, columns = self.image.shape[:2]
        best, least = Box(0, 0, width, height), np.inf
        for reach in REACH:
            for dx, dy in ((1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (0, 1), (1, 0), (-1, 0)):
                away = clear + reach
                left = anchor[0] + dx * away - width * (1 - dx) / 2
                top = anchor[1] + dy * away - height * (1 - dy) / 2
                left, top = np.clip([left, top], 0, [max(columns - width, 0), max(rows - height, 0)])
                box = Box(int(left), int(top), int(left) + width, int(top) + height)
                cost = sum(box.overlap(other) for other in self.taken) + reach
                if cost < least:
                    best, least = box, cost
        return best

    def _write(self, text: str, box: Box, colour: Colour) -> None:
        self._shade(box)
        self._text(text, box.left + PADDING, box.bottom - PADDING - 1, colour)

    def _shade(self, box: Box) -> None:
        """Darken a box, so that light letters can be read on anything."""
        part = self.image[box.top : box.bottom, box.left : box.right]
        part[:] = (part * 0.3).astype(np.uint8)

    def _text(self, text: str, left: int, base: int, colour: Colour) -> None:
        cv2.putText(self.image, text, (left, base), colour, self._font, TEXT)
