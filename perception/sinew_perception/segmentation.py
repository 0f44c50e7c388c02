"""Which pixels are strongly coloured, and in which of the named hues."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.types import ImageArray

Channel = npt.NDArray[np.int16]

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
# Upper edges of the hue classes in degrees; what lies beyond the last is red again.
_EDGES = (14, 42, 72, 168, 258, 336)


def _hue_table() -> npt.NDArray[np.uint8]:
    edges = np.searchsorted(np.array(_EDGES), np.arange(360), side="right")
    return (edges % len(COLOURS)).astype(np.uint8)


_HUE_TABLE = _hue_table()


def coloured_pixels(
    rgb: ImageArray, min_chroma: int, min_saturation: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint8]]:
    """Return flat indices (n,) of the pixels that are coloured, and their places in `COLOURS` (n,).

    Chroma is max(r, g, b) - min(r, g, b); saturation is chroma over max(r, g, b). Both survive shading:
    a shaded side keeps its ratios, so it keeps its hue and its saturation.
    """
    channels = cv2.split(rgb)
    red, green, blue = channels
    value = cv2.max(cv2.max(red, green), blue)
    chroma = cv2.subtract(value, cv2.min(cv2.min(red, green), blue))
    floor = np.maximum(np.arange(256) * min_saturation, min_chroma).astype(np.uint8)
    pixels = np.flatnonzero(cv2.compare(chroma, cv2.LUT(value, floor), cv2.CMP_GT))
    r, g, b, v, c = (image.reshape(-1)[pixels].astype(np.int16) for image in (*channels, value, chroma))
    return pixels, _HUE_TABLE[_hue(r, g, b, v, c)]


def _hue(red: Channel, green: Channel, blue: Channel, value: Channel, chroma: Channel) -> Channel:
    """Return the hue of coloured pixels in whole degrees, 0 to 359; all arrays are (n,)."""
    is_red, is_green = value == red, value == green
    offset = np.where(is_red, green - blue, np.where(is_green, blue - red, red - green))
    sector = np.where(is_red, 0, np.where(is_green, 120, 240)).astype(np.int16)
    return np.asarray((sector + 60 * offset // chroma) % 360, dtype=np.int16)
