"""An answer as a picture: the marks, what is grasped, where it goes, and the way there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.types import Affordance, FloatArray, ImageArray, Observation, Refusal

from sinew_perception.drawing.canvas import Canvas, Colour
from sinew_perception.geometry import PosedCamera, project
from sinew_perception.visual_prompting.drawing import draw_side, draw_top
from sinew_perception.visual_prompting.marks import MarkedImage, Marks

WAY: Colour = (90, 200, 255)
GRASP: Colour = (255, 230, 80)
TARGET: Colour = (120, 240, 130)
BAD: Colour = (255, 130, 110)
PLAIN: Colour = (255, 255, 255)


def draw_marks(marks: Marks, width: int) -> ImageArray:
    """Return the marked images side by side."""
    return _beside([draw_top(marks, width), *([draw_side(marks.side, marks, width)] if marks.side else [])])


def draw_answer(
    marks: Marks, observation: Observation, answer: Affordance | Refusal, width: int
) -> ImageArray:
    """Return the marked images side by side with the answer drawn over them, its sentence above."""
    images = [(marks.top, draw_top(marks, width))]
    if marks.side is not None:
        images.append((marks.side, draw_side(marks.side, marks, width)))
    drawn = [_draw_way(image, marked, observation, answer) for image, marked in images]
    return add_captions(_beside(drawn), answer)


def add_captions(image: ImageArray, answer: Affordance | Refusal) -> ImageArray:
    """Return an image with the sentence above it and what came of it below."""
    room = np.zeros((28, image.shape[1], 3), dtype=np.uint8)
    canvas = Canvas(np.vstack([room, image, room]), image.shape[1])
    canvas.banner(answer.instruction or "(nothing was asked)")
    if isinstance(answer, Refusal):
        canvas.banner(f"refused: {answer.reason}", bottom=True, colour=BAD)
    else:
        canvas.banner(summary(answer), bottom=True, colour=TARGET)
    return canvas.image


def summary(answer: Affordance) -> str:
    """Return an affordance in one line."""
    verb = "grasp" if answer.grasp is not None else "push" if answer.moves is not None else "reach"
    acted_on = "" if answer.moves is None else f" {answer.moves} to"
    return f"{verb}{acted_on} {name_place(answer.target)}, by {len(answer.waypoints)} waypoints"


def name_place(place: str | FloatArray | None) -> str:
    """Return a keypoint's name, or a point in metres."""
    if place is None or isinstance(place, str):
        return place or "nothing"
    return "(" + ", ".join(f"{x:.3f}" for x in place) + ") m"


def _draw_way(
    image: MarkedImage, marked: ImageArray, observation: Observation, answer: Affordance | Refusal
) -> ImageArray:
    canvas = Canvas(marked, marked.shape[1])
    if isinstance(answer, Refusal):
        return canvas.image
    scale = marked.shape[1] / image.rgb.shape[1]
    start = _place(observation, answer.grasp if answer.grasp is not None else answer.moves)
    points = [*([start] if start is not None and answer.grasp is not None else []), *answer.waypoints]
    pixels = _pixels(image.camera, points, scale)
    if len(pixels) > 1:
        canvas.line(pixels, WAY)
    first = len(pixels) - len(answer.waypoints)
    for pixel, closed in zip(pixels[first:], answer.closed, strict=True):
        (canvas.disc if closed else canvas.ring)(pixel, WAY, 4.0)
        canvas.keep_free(pixel, 6.0)
    target = _place(observation, answer.target)
    for point, colour, text in (
        (start, GRASP, "grasp" if answer.grasp is not None else "moves"),
        (target, TARGET, "target"),
    ):
        if point is not None:
            pixel = _pixels(image.camera, [point], scale)[0]
            canvas.ring(pixel, colour, 12.0)
            canvas.label(text, pixel, colour, 14.0)
    return canvas.image


def _place(observation: Observation, where: str | FloatArray | None) -> FloatArray | None:
    if isinstance(where, str):
        keypoint = observation.keypoints.get(where)
        return None if keypoint is None else keypoint.position
    return where


def _pixels(camera: PosedCamera, points: Sequence[FloatArray], scale: float) -> list[FloatArray]:
    """Return pixels of the enlarged image; what is behind the camera lands far outside of it."""
    pixels = np.nan_to_num(project(camera, np.array(points)), nan=-1e4)
    return [*((np.clip(pixels, -1e4, 1e4) + 0.5) * scale - 0.5)]


def _beside(images: Sequence[ImageArray]) -> ImageArray:
    height = max(len(image) for image in images)
    padded = [np.pad(image, ((0, height - len(image)), (0, 0), (0, 0))) for image in images]
    return np.hstack(padded)
