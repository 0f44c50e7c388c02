"""What contact sheets are drawn with: a canvas of a fixed width, letters, boxes and colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sinew_core.types import ImageArray

Colour = tuple[int, int, int]
WIDTH, MARGIN = 1200, 24  # px
INK, GREY, FAINT, PAPER = (28, 30, 34), (105, 110, 118), (222, 224, 228), (255, 255, 255)
OWNERS: dict[str, Colour] = {
    "policy": (52, 112, 196),
    "human": (232, 126, 28),
    "hold": (168, 172, 178),
    "stopped": (196, 40, 44),
}
OUTCOMES: dict[str, Colour] = {
    "success": (30, 132, 73),
    "failure": (196, 40, 44),
    "error": (196, 40, 44),
    "stopped": (196, 40, 44),
}
TITLE, TEXT, SMALL = 24, 16, 14  # px, sizes of letters


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a canvas, in px."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """From top to bottom."""
        return self.bottom - self.top


class Canvas:
    """A white picture of a fixed width."""

    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self, at: tuple[float, float], words: str, size: int = TEXT, colour: Colour = INK, anchor: str = "la"
    ) -> float:
        """Write words at a place; return how wide they are."""
        self.draw.text(at, words, fill=colour, font=font(size), anchor=anchor)
        return text_width(words, size)

    def fill(self, box: Box, colour: Colour) -> None:
        """Fill a box."""
        if box.width > 0 and box.height > 0:
            self.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=colour)

    def picture(self, box: Box, pixels: ImageArray) -> None:
        """Show pixels (h, w, 3) scaled to a box."""
        scaled = Image.fromarray(np.ascontiguousarray(pixels)).resize(
            (box.width, box.height), Image.Resampling.LANCZOS
        )
        self.image.paste(scaled, (box.left, box.top))

    def label(self, at: tuple[int, int], words: str, size: int = SMALL) -> None:
        """Write words on a dark ground, legible on any picture; `at` is the lower left corner."""
        width = int(text_width(words, size)) + 10
        left, bottom = at
        self.fill(Box(left, bottom - size - 8, left + width, bottom), INK)
        self.text((left + 5, bottom - size // 2 - 4), words, size, PAPER, anchor="lm")


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own letters in a size."""
    return ImageFont.load_default(size)


def text_width(words: str, size: int) -> float:
    """Return how wide words are, in px."""
    return float(font(size).getlength(words))


def fitted(words: str, size: int, width: float) -> str:
    """Return words, cut to a width."""
    if text_width(words, size) <= width:
        return words
    while words and text_width(f"{words}…", size) > width:
        words = words[:-1]
    return f"{words.rstrip()}…"
