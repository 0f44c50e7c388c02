"""A single AprilTag or ArUco marker, for what is too small for a board: held by the gripper, say."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from sinew_core.types import FloatArray, ImageArray

from sinew_hardware.calibration.board import NO_CORNERS, Corners, GreyArray, dictionary, grey


@dataclass(frozen=True, slots=True)
class TagConfig:
    """One marker; its frame lies at its centre: x right, y down, z into the tag, in metres."""

    id: int = 0
    size: float = 0.040  # m, the black square's edge as measured on the print
    dictionary: str = "DICT_APRILTAG_36h11"  # of cv2.aruco

    def __post_init__(self) -> None:
        """Check the size, and that the dictionary has this marker."""
        if self.size <= 0:
            raise ValueError(f"size: expected a positive number of metres, got {self.size}.")
        markers = len(dictionary(self.dictionary).bytesList)
        if not 0 <= self.id < markers:
            raise ValueError(f"id: {self.dictionary} has the markers 0 to {markers - 1}, got {self.id}.")

    def outline(self) -> FloatArray:
        """Return the four corners (4, 3) in the order of OpenCV: clockwise from the upper left."""
        half = self.size / 2
        return half * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])


def draw_tag(config: TagConfig, size_px: int) -> GreyArray:
    """Return the bare tag (size_px, size_px); it needs a white margin around it to be found."""
    picture: GreyArray = cv2.aruco.generateImageMarker(dictionary(config.dictionary), config.id, size_px)
    return picture


def find_tag(config: TagConfig, rgb: ImageArray) -> Corners:
    """Return the four corners of the tag in a picture (h, w, 3), or none; ids count the corners."""
    markers = dictionary(config.dictionary)
    picture = grey(rgb)
    found, ids, _ = cv2.aruco.ArucoDetector(markers).detectMarkers(picture)
    numbers = [] if ids is None else np.asarray(ids).ravel().tolist()
    if numbers.count(config.id) != 1:  # two alike: nobody can say which one the gripper holds
        return NO_CORNERS
    pixels = np.asarray(found[numbers.index(config.id)], dtype=np.float64).reshape(4, 2)
    border = 1 / (markers.markerSize + 2)  # of the tag's edge: how wide its black frame is
    for _ in range(2):  # the second time the profiles are centred on the edges
        pixels = _by_edges(picture, pixels, border)
    return Corners(np.arange(4, dtype=np.int32), pixels, config.outline())


def _by_edges(picture: GreyArray, corners: FloatArray, border: float) -> FloatArray:
    """Return where the tag's four edges meet (4, 2), each a line through what its profiles say.

    A search for the corner itself ends inside it, by a fifth of a pixel in a slightly blurred picture,
    which would put the tag farther away; an edge is where it is however much it is blurred.
    """
    lines = [_edge(picture, corners[i], corners[(i + 1) % 4], border) for i in range(4)]
    meets = np.array([np.cross(lines[i - 1], lines[i]) for i in range(4)])
    found: FloatArray = meets[:, :2] / meets[:, 2:]
    return found if np.abs(found - corners).max() < 5 else corners


def _edge(picture: GreyArray, start: FloatArray, end: FloatArray, border: float) -> FloatArray:
    """Return the line (3,), homogeneous, of the dark-to-bright edge from one corner to the next."""
    along = end - start
    length = float(np.linalg.norm(along))
    outward = np.array([along[1], -along[0]]) / length  # corners go clockwise, y points down
    reach = float(np.clip(0.8 * border * length, 1.5, 6))
    steps = np.linspace(-reach, reach, 2 * int(np.ceil(4 * reach)) + 1)
    at = start + np.linspace(0.1, 0.9, int(max(length, 8)))[:, None] * along
    where = (at[:, None] + steps[:, None] * outward).astype(np.float32)
    profile = cv2.remap(picture.astype(np.float32), where[..., 0], where[..., 1], cv2.INTER_LINEAR)
    rise = np.clip(np.diff(profile, axis=1), 0, None) ** 2 + 1e-9
    shift = rise @ (steps[1:] + steps[:-1]) / 2 / rise.sum(axis=1)
    points = at + shift[:, None] * outward
    middle = points.mean(axis=0)
    normal = np.linalg.svd(points - middle)[2][1]
    return np.append(normal, -normal @ middle)
