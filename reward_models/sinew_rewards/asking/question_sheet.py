"""A question as one picture: two clips beside each other, the end of each large, the way to it small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from sinew_data.sheet_canvas import GREY, INK, MARGIN, PAPER, SMALL, TEXT, WIDTH, Box, Canvas, fitted

from sinew_rewards.asking.clip_frames import ClipFrame, at_moment
from sinew_rewards.asking.question import HELP, Question

COLUMNS, ROWS = 3, 2  # of small pictures under the large one
GUTTER, BETWEEN = 32, 6  # px, between the two clips, and between the pictures of one
HEADER, FOOTER = 60, 44  # px, heights
BADGE = 44  # px


def question_sheet(question: Question) -> Image.Image:
    """Draw a question, 1200 px wide."""
    width = (WIDTH - 2 * MARGIN - GUTTER) // 2
    heights = [_height(each.frames, width) for each in (question.first, question.second)]
    canvas = Canvas(HEADER + max(heights) + FOOTER)
    canvas.text((MARGIN, 20), fitted(question.title, TEXT, WIDTH - 2 * MARGIN), TEXT)
    for i, each in enumerate((question.first, question.second)):
        left = MARGIN + i * (width + GUTTER)
        _clip(canvas, each.frames, question.seconds, Box(left, HEADER, left + width, HEADER + heights[i]))
        _badge(canvas, str(i + 1), left, HEADER)
    canvas.text((WIDTH / 2, HEADER + max(heights) + FOOTER // 2), HELP, TEXT, GREY, anchor="mm")
    return canvas.image


def _height(frames: Sequence[ClipFrame], width: int) -> int:
    return _scaled(frames, width) + ROWS * (BETWEEN + _scaled(frames, _small(width)))


def _small(width: int) -> int:
    return (width - (COLUMNS - 1) * BETWEEN) // COLUMNS


def _scaled(frames: Sequence[ClipFrame], width: int) -> int:
    height, across = frames[0].pixels.shape[:2]
    return max(1, round(width * float(height / across)))


def _clip(canvas: Canvas, frames: Sequence[ClipFrame], seconds: float, place: Box) -> None:
    """Draw the last moment, and under it evenly spaced ones from the first on."""
    large = Box(place.left, place.top, place.right, place.top + _scaled(frames, place.width))
    _picture(canvas, at_moment(frames, seconds), seconds, large, "end  ")
    width = _small(place.width)
    height = _scaled(frames, width)
    for i, moment in enumerate(np.linspace(0.0, seconds, COLUMNS * ROWS, endpoint=False)):
        row, column = divmod(i, COLUMNS)
        left = place.left + column * (width + BETWEEN)
        top = large.bottom + BETWEEN + row * (height + BETWEEN)
        _picture(canvas, at_moment(frames, moment), float(moment), Box(left, top, left + width, top + height))


def _picture(canvas: Canvas, frame: ClipFrame, moment: float, box: Box, before: str = "") -> None:
    canvas.picture(box, frame.pixels)
    canvas.label((box.left, box.bottom), f"{before}{moment:.1f} s", SMALL)


def _badge(canvas: Canvas, name: str, left: int, top: int) -> None:
    canvas.fill(Box(left, top, left + BADGE, top + BADGE), INK)
    canvas.text((left + BADGE / 2, top + BADGE / 2), name, 28, PAPER, anchor="mm")
