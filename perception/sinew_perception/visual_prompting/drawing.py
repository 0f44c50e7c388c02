"""Marks drawn on images: numbered points and a grid on the top image, height lines on the side image."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray, ImageArray

from sinew_perception.drawing.canvas import Canvas, Colour
from sinew_perception.geometry import Mask
from sinew_perception.visual_prompting.lettering import blend_lines, text_size, write
from sinew_perception.visual_prompting.marks import MarkedImage, Marks
from sinew_perception.visual_prompting.placing import Placer

POINT: Colour = (255, 70, 160)  # no object's colour
CELL: Colour = (255, 255, 255)
LEVEL: Colour = (120, 235, 255)
POINT_TEXT, CELL_TEXT, LEVEL_TEXT = 17, 15, 16  # px
GRID_OPACITY = 0.45


def draw_top(marks: Marks, width: int) -> ImageArray:
    """Return the top image, at least `width` px wide, with the grid and the candidates."""
    canvas, _ = mark_top(marks, width)
    return canvas.image


def mark_top(marks: Marks, width: int) -> tuple[Canvas, FloatArray]:
    """Return the drawn top image, and where the candidates' labels are: (n, 4) px, left to bottom."""
    canvas = Canvas(marks.top.rgb, width)
    points = np.array([canvas.at(candidate.pixel) for candidate in marks.candidates])
    placer = Placer(_enlarged(marks.objects, canvas), points)
    _draw_grid(canvas, marks, placer)
    middles = {name: canvas.at(group[0].pixel) for name, group in marks.by_object().items()}
    boxes = []
    for i, candidate in enumerate(marks.candidates):
        size = text_size(candidate.label, POINT_TEXT)
        corner = placer.beside(i, middles[candidate.object], size)
        boxes.append([*corner, *(corner + size)])
    for point, box in zip(points, boxes, strict=True):
        _draw_leader(canvas, point, np.array(box))
    for candidate, box in zip(marks.candidates, boxes, strict=True):
        canvas.disc(candidate.pixel, POINT, 3.5)
        write(canvas.image, candidate.label, np.array(box[:2]), POINT, POINT_TEXT)
    return canvas, np.array(boxes)


def draw_side(image: MarkedImage, marks: Marks, width: int) -> ImageArray:
    """Return the side image with a line at each height, and a pole where the heights are measured."""
    canvas = Canvas(image.rgb, width)
    labels = [*marks.levels.heights()]
    pixels = np.array([canvas.at(marks.levels.pixel(image.camera, label)) for label in labels])
    rows, columns = canvas.image.shape[:2]
    shown = [i for i, pixel in enumerate(pixels) if 0 <= pixel[1] < rows]
    blend_lines(
        canvas.image,
        [(np.array([0.0, pixels[i, 1]]), np.array([columns - 1.0, pixels[i, 1]])) for i in shown],
        GRID_OPACITY,
    )
    pole = [image_pixel(canvas, pixel) for pixel in (pixels[0], pixels[-1])]
    canvas.line(pole, LEVEL, 1)
    placer = Placer(np.zeros((rows, columns), dtype=np.bool_), np.empty((0, 2)))
    for i in shown:
        canvas.disc(image_pixel(canvas, pixels[i]), LEVEL, 2.5)
        size = text_size(labels[i], LEVEL_TEXT)
        for left in (3.0, columns - size[0] - 3.0):
            at = np.array([[left, pixels[i, 1] - size[1]], [left, pixels[i, 1] + 1]])
            write(canvas.image, labels[i], placer.corner(at, size), LEVEL, LEVEL_TEXT)
    return canvas.image


def image_pixel(canvas: Canvas, point: FloatArray) -> FloatArray:
    """Return where a point of the canvas is in the image's own pixels."""
    there: FloatArray = (point + 0.5) / canvas.scale - 0.5
    return there


def _draw_grid(canvas: Canvas, marks: Marks, placer: Placer) -> None:
    rows, columns = canvas.image.shape[:2]
    across, down = marks.grid.edges()
    at = canvas.at(np.zeros(2))
    lines = [(np.array([x, 0.0]), np.array([x, rows - 1.0])) for x in across * canvas.scale + at[0]]
    lines += [(np.array([0.0, y]), np.array([columns - 1.0, y])) for y in down * canvas.scale + at[1]]
    blend_lines(canvas.image, lines, GRID_OPACITY)
    half = np.array([columns / marks.grid.columns, rows / marks.grid.rows]) / 2 - 2
    for cell in marks.within:
        middle, size = canvas.at(marks.grid.centre(cell)), text_size(cell, CELL_TEXT)
        low, high = middle - half, middle + half - size
        corners = np.array([[low[0], low[1]], [high[0], low[1]], [low[0], high[1]], [high[0], high[1]]])
        write(canvas.image, cell, placer.corner(corners, size), CELL, CELL_TEXT)


def _draw_leader(canvas: Canvas, point: FloatArray, box: FloatArray) -> None:
    nearest = np.clip(point, box[:2], box[2:])
    if np.linalg.norm(nearest - point) > 6:
        canvas.line([image_pixel(canvas, point), image_pixel(canvas, nearest)], POINT, 1)


def _enlarged(mask: Mask, canvas: Canvas) -> Mask:
    return mask.repeat(canvas.scale, axis=0).repeat(canvas.scale, axis=1)
