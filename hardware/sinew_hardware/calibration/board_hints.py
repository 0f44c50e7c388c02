"""Why a board was not found in a picture, as far as the picture tells."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import ImageArray

from sinew_hardware.calibration.board import (
    BoardConfig,
    GreyArray,
    dictionary,
    find_corners,
    grey,
)

FAMILIES = (  # one of each pattern; the larger ones hold the smaller ones' markers first
    "DICT_4X4_50",
    "DICT_5X5_50",
    "DICT_6X6_50",
    "DICT_7X7_50",
    "DICT_APRILTAG_16h5",
    "DICT_APRILTAG_25h9",
    "DICT_APRILTAG_36h11",
    "DICT_ARUCO_ORIGINAL",
)
SMALL = 12  # px of a marker's edge, below which its bits cannot be told apart


def why_unseen(config: BoardConfig, rgb: ImageArray) -> str:
    """Return a sentence on why `find_corners` finds nothing in a picture (h, w, 3), and what to do."""
    if len(find_corners(config, np.ascontiguousarray(rgb[:, ::-1]))):
        return "The picture is mirrored: turn the mirroring of the camera or its driver off."
    picture = grey(rgb)
    seen = _markers(config.dictionary, picture)
    if len(seen) < 3 and (other := _other_dictionary(config.dictionary, picture)):
        return other
    return _wrong_markers(config, seen) if seen else _no_marker(picture)


def _wrong_markers(config: BoardConfig, seen: set[int]) -> str:
    squares = f"{config.squares[0]} x {config.squares[1]} squares"
    strange = sorted(seen - set(range(config.squares[0] * config.squares[1] // 2)))
    if strange:
        return f"Marker {strange[-1]} is no part of a board of {squares}: another board?"
    if len(seen) < 3:
        return f"Only {len(seen)} marker(s) of the board are seen: too little of it is in the picture."
    return (
        f"{len(seen)} markers of {config.dictionary} are seen, but not where a board of {squares} "
        "has them: give columns and rows as printed, in this order."
    )


def _other_dictionary(name: str, picture: GreyArray) -> str:
    """Return a sentence if the picture shows markers of another dictionary than `name`."""
    others = [other for other in FAMILIES if other != name]
    detector = cv2.aruco.ArucoDetector([dictionary(other) for other in others])
    which = detector.detectMarkersMultiDict(picture)[3]
    counts = np.bincount(np.ravel([] if which is None else which).astype(np.intp), minlength=len(others))
    best = int(np.argmax(counts))
    if counts[best] < 3:
        return ""
    return f"No board of {name} is seen, but {counts[best]} markers as in {others[best]}: another dictionary?"


def _no_marker(picture: GreyArray) -> str:
    brightness = float(np.median(picture))
    if brightness < 30:
        return f"The picture is dark (median grey {brightness:.0f} of 255): more light, or a longer exposure."
    return (
        "No marker is seen: the board is out of the picture, blurred, glaring, or so far away that "
        f"a marker is narrower than {SMALL} px."
    )


def _markers(name: str, picture: GreyArray) -> set[int]:
    ids = cv2.aruco.ArucoDetector(dictionary(name)).detectMarkers(picture)[1]
    return set() if ids is None else set(np.asarray(ids).ravel().tolist())
