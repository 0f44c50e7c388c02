"""An answer as a picture: the marks, what is grasped, where it goes, and the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.types import Affordance, FloatArray, ImageArray, Observation, Refusal

from sinew_perception.drawing.canvas import Canvas, Colour
from sinew_perception.geometry import PosedCamera, project
from sinew_perception.visual_prompting.answer import Answer
from sinew_perception.visual_prompting.drawing import draw_side, draw_top, mark_top
from sinew_perception.visual_prompting.marks import MarkedImage, Marks

WAY: Colour = (90, 200, 255)
GRASP: Colour = (255, 230, 80)
TARGET: Colour = (120, 240, 130)
BAD: Colour = (255, 130, 110)
PLAIN: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Sign:
    """A named place of an answer."""

    text: str
    point: FloatArray  # (3,) m
    colour: Colour


def draw_marks(marks: Marks, width: int) -> ImageArray:
    """Return the marked images side by side."""
    return _beside([draw_top(marks, width), *([draw_side(marks.side, marks, width)] if marks.side else [])])


def draw_answer(
    marks: Marks,
    observation: Observation,
    answer: Affordance | Refusal,
    width: int,
    chosen: Answer | None = None,
) -> ImageArray:
    """Return the marked images side by side with the answer drawn over them, its sentence above.

    `chosen` are the marks that the answer was given in, where it was.
    """
    top, labels = mark_top(marks, width)
    signs = [] if isinstance(answer, Refusal) else _signs(marks, observation, answer, chosen)
    images = [_draw_way(marks.top, top.image, observation, answer, signs, labels)]
    if marks.side is not None:
        side = draw_side(marks.side, marks, width)
        images.append(_draw_way(marks.side, side, observation, answer, signs, np.empty((0, 4))))
    return add_captions(_beside(images), answer)


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
    verb = "place" if answer.grasp is not None else "push" if answer.moves is not None else "reach"
    acted_on = "" if answer.moves is None else f" {answer.moves} to"
    return f"{verb}{acted_on} {name_place(answer.target)}, by {len(answer.waypoints)} waypoints"


def name_place(place: str | FloatArray | None) -> str:
    """Return a keypoint's name, or a point in metres."""
    if place is None or isinstance(place, str):
        return place or "nothing"
    return "(" + ", ".join(f"{x:.3f}" for x in place) + ") m"


def _signs(marks: Marks, observation: Observation, answer: Affordance, chosen: Answer | None) -> list[Sign]:
    """Return what is taken hold of or pushed, and the target: at the chosen marks, else at the keypoints."""
    start = answer.grasp if answer.grasp is not None else answer.moves
    named = (None, None) if chosen is None else (chosen.grasp or chosen.moves, chosen.target)
    signs = []
    for role, where, label, colour in (
        ("grasp" if answer.grasp is not None else "push", start, named[0], GRASP),
        ("target", answer.target, named[1], TARGET),
    ):
        candidate = marks.candidate(label) if label else None
        point = _place(observation, where) if candidate is None else candidate.point
        if point is not None:
            signs.append(Sign(f"{role} {label}" if label else role, point, colour))
    return signs


def _draw_way(
    image: MarkedImage,
    marked: ImageArray,
    observation: Observation,
    answer: Affordance | Refusal,
    signs: Sequence[Sign],
    labels: FloatArray,
) -> ImageArray:
    """Draw the way and its ends on a marked image, without hiding labels (n, 4) if that can be helped."""
    canvas = Canvas(marked, marked.shape[1])
    if isinstance(answer, Refusal):
        return canvas.image
    scale = marked.shape[1] / image.rgb.shape[1]
    grasp = _place(observation, answer.grasp)
    pixels = _pixels(image.camera, [*([] if grasp is None else [grasp]), *answer.waypoints], scale)
    if len(pixels) > 1:
        canvas.line(pixels, WAY)
    first = len(pixels) - len(answer.waypoints)
    for pixel, closed in zip(pixels[first:], answer.closed, strict=True):
        (canvas.disc if closed else canvas.ring)(pixel, WAY, 4.0)
        canvas.keep_free(pixel, 6.0)
    for left, upper, right, lower in labels:
        canvas.keep_free(np.array([left + right, upper + lower]) / 2, float(right - left) / 2)
    for sign in signs:
        pixel = _pixels(image.camera, [sign.point], scale)[0]
        canvas.ring(pixel, sign.colour, 12.0)
        canvas.keep_free(pixel, 12.0)
    for sign in signs:
        canvas.label(sign.text, _pixels(image.camera, [sign.point], scale)[0], sign.colour, 14.0)
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
