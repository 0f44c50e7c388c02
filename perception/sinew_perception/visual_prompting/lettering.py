"""Letters with a dark rim, which can be read on any ground."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import FloatArray, ImageArray

Colour = tuple[int, int, int]

RIM: Colour = (16, 16, 20)
WEIGHT = 700  # of the letters, 100 to 1000
AROUND = ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1))
_FONT = "sans"


def text_size(text: str, height: int) -> tuple[int, int]:
    """Return the width and height of written text with its rim, px; `height` is the font's size."""
    _, _, width, tall = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace(_FONT), height, WEIGHT)
    return int(width) + 4, int(tall) + 4


def write(image: ImageArray, text: str, corner: FloatArray, colour: Colour, height: int) -> None:
    """Write text into an image, (column, row) being the upper left corner of what `text_size` measured."""
    font = cv2.FontFace(_FONT)
    left, top, _, _ = cv2.getTextSize((0, 0), text, (0, 0), font, height, WEIGHT)
    x, y = round(float(corner[0])) + 2 - int(left), round(float(corner[1])) + 2 - int(top)
    for dx, dy in AROUND:
        cv2.putText(image, text, (x + dx, y + dy), RIM, font, height, WEIGHT)
    cv2.putText(image, text, (x, y), colour, font, height, WEIGHT)


def blend_lines(image: ImageArray, lines: list[tuple[FloatArray, FloatArray]], opacity: float) -> None:
    """Draw thin lines, each between two pixels, that let the image shine through."""
    drawn = image.copy()
    for a, b in lines:
        ends = tuple(map(int, np.rint(a))), tuple(map(int, np.rint(b)))
        cv2.line(drawn, *ends, RIM, 2)
        cv2.line(drawn, *ends, (255, 255, 255), 1)
    cv2.addWeighted(drawn, opacity, image, 1 - opacity, 0.0, dst=image)
