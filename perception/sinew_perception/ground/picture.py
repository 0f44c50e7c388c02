"""What the embedded model looked at: its heat maps over the image, and what it answered."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import Affordance, ImageArray, Refusal

from sinew_perception.drawing.canvas import Canvas, Colour
from sinew_perception.ground.blobs import Map
from sinew_perception.visual_prompting.picture import add_captions

GRASP: Colour = (255, 230, 80)
TARGET: Colour = (90, 200, 255)
DIMMED = 0.55  # of the image's brightness, where nothing lights up
LIT = 0.5  # heat, from which on a map is labelled


def draw_heat(rgb: ImageArray, maps: Map, answer: Affordance | Refusal, width: int = 640) -> ImageArray:
    """Return the image (h, w, 3) under the heat maps of what is meant first and of its target (2, rows,
    columns), 0 to 1, with the sentence above and what came of it below."""
    height, columns = rgb.shape[:2]
    shown = rgb.astype(np.float32) * DIMMED
    for heat, colour in zip(maps, (GRASP, TARGET), strict=True):
        share = cv2.resize(heat, (columns, height), interpolation=cv2.INTER_LINEAR)[..., None]
        shown += share * (0.5 * np.array(colour, np.float32) + 0.5 * rgb - shown)
    canvas = Canvas(np.clip(shown, 0, 255).astype(np.uint8), width)
    two = isinstance(answer, Affordance) and answer.moves is not None
    for heat, colour, name in zip(maps, (GRASP, TARGET), ("this" if two else "here", "there"), strict=True):
        if heat.max() < LIT:
            continue
        row, column = np.unravel_index(int(heat.argmax()), heat.shape)
        scale = np.array([columns / heat.shape[1], height / heat.shape[0]])
        at = (np.array([column, row]) + 0.5) * scale - 0.5
        canvas.ring(at, colour, 10.0)
        canvas.label(f"{name} {float(heat.max()):.2f}", at, colour, 12.0)
    return add_captions(canvas.image, answer)
