"""Which pixels are strongly coloured, and in which of the named hues."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sinew_core.types import ImageArray

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
    red, green, blue = cv2.split(rgb)
    value = cv2.max(cv2.max(red, green), blue)
    chroma = cv2.subtract(value, cv2.min(cv2.min(red, green), blue))
    floor = np.maximum(np.arange(256) * min_saturation, min_chroma).astype(np.uint8)
    pixels = np.flatnonzero(cv2.compare(chroma, cv2.LUT(value, floor), cv2.CMP_GT))
    channels = rgb.reshape(-1, 3)[pixels].astype(np.int32)
    return pixels, _HUE_TABLE[_hue(channels)]


def _hue(channels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the hue of coloured pixels (n, 3) in whole degrees, 0 to 359 (n,)."""
    red, green, blue = channels.T
    value = channels.max(axis=1)
    chroma = value - channels.min(axis=1)
    sector = np.where(
        value == red,
        60 * (green - blue),
        np.where(value == green, 60 * (blue - red) + 120 * chroma, 60 * (red - green) + 240 * chroma),
    )
    hue: npt.NDArray[np.int32] = sector // chroma % 360
    return hue
