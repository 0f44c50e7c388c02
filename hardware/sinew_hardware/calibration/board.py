"""The printed ChArUco board: what it is, how it is drawn, and where its corners are in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.errors import did_you_mean
from sinew_core.types import FloatArray, ImageArray

GreyArray = npt.NDArray[np.uint8]  # (h, w)
IdArray = npt.NDArray[np.int32]
MINIMUM = 4  # corners that make a sighting
OFF_GRID = 0.2  # of a square: a corner farther from where the others put it is none


@dataclass(frozen=True, slots=True)
class BoardConfig:
    """A ChArUco board; its frame has x along the columns, y down the rows, z into the board, in metres."""

    squares: tuple[int, int] = (7, 5)  # columns and rows
    square: float = 0.030  # m, as measured on the print
    marker: float = 0.022  # m
    dictionary: str = "DICT_5X5_100"  # of cv2.aruco

    def __post_init__(self) -> None:
        """Check the sizes, and that the dictionary exists and has enough markers."""
        if min(self.squares) < 3:
            raise ValueError(f"squares: expected at least 3 columns and 3 rows, got {list(self.squares)}.")
        if not 0 < self.marker < self.square:
            raise ValueError(f"expected 0 < marker < square, got marker {self.marker}, square {self.square}.")
        markers, needed = len(dictionary(self.dictionary).bytesList), self.squares[0] * self.squares[1] // 2
        if markers < needed:
            raise ValueError(f"dictionary {self.dictionary} has {markers} markers, the board needs {needed}.")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in m."""
        return self.squares[0] * self.square, self.squares[1] * self.square

    def outline(self) -> FloatArray:
        """Return the board's own four corners (4, 3), in its frame."""
        width, height = self.size
        return np.array([[0.0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]])


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of a board or tag that were found in one picture; none where it is not seen."""

    ids: IdArray  # (m,)
    pixels: FloatArray  # (m, 2) column and row; whole numbers are pixel centres
    points: FloatArray  # (m, 3) m, in the frame of the board or tag

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)


NO_CORNERS = Corners(np.zeros(0, np.int32), np.zeros((0, 2)), np.zeros((0, 3)))


def dictionary(name: str) -> cv2.aruco.Dictionary:
    """Return a dictionary of markers by its name in cv2.aruco; an unknown one is a ValueError."""
    names = [known for known in dir(cv2.aruco) if known.startswith("DICT_")]
    if name not in names:
        raise ValueError(f"unknown dictionary '{name}'.{did_you_mean(name, names)}")
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))


def charuco(config: BoardConfig) -> cv2.aruco.CharucoBoard:
    """Return OpenCV's object for a board."""
    markers = dictionary(config.dictionary)
    return cv2.aruco.CharucoBoard(config.squares, config.square, config.marker, markers)


def draw_board(config: BoardConfig, square_px: int) -> GreyArray:
    """Return the bare board (h, w), each of its squares `square_px` wide, without a margin."""
    columns, rows = config.squares
    picture: GreyArray = charuco(config).generateImage((columns * square_px, rows * square_px))
    return picture


def grey(rgb: ImageArray) -> GreyArray:
    """Return a picture (h, w, 3) in grey levels (h, w)."""
    levels: GreyArray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return levels


def spans_plane(corners: Corners) -> bool:
    """Return whether the corners are at least 4 and not all in one line, so that a pose follows."""
    if len(corners) < MINIMUM:
        return False
    spread = np.linalg.svd(corners.points - corners.points.mean(axis=0), compute_uv=False)
    return bool(spread[1] > 0.05 * spread[0])


def find_corners(config: BoardConfig, rgb: ImageArray) -> Corners:
    """Return the inner corners of the board in a picture (h, w, 3), to a fraction of a pixel.

    Part of the board is enough; the answer is empty below 4 corners (`why_unseen` then says why).
    """
    picture = grey(rgb)
    board = charuco(config)
    pixels, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(picture)
    if ids is None or len(ids) < MINIMUM:
        return NO_CORNERS
    numbers = np.asarray(ids, dtype=np.int32).ravel()
    points = np.asarray(board.getChessboardCorners(), dtype=np.float64)[numbers]
    found = _on_grid(Corners(numbers, np.asarray(pixels, np.float64).reshape(-1, 2), points), config.square)
    return _refined(picture, found, config) if len(found) else NO_CORNERS


def _refined(picture: GreyArray, corners: Corners, config: BoardConfig) -> Corners:
    """Return the corners where black and white squares really meet.

    The search runs in a frontal view of the board, in windows that end where the markers begin: a
    marker's edge in the window would pull the corner by up to two pixels in a slanted view.
    """
    gaps = np.linalg.norm(corners.pixels[:, None] - corners.pixels, axis=2)
    gaps += 1e9 * np.eye(len(gaps))
    square = float(np.clip(1.2 * gaps.min(axis=0).max(), 24, 80))  # px of a square in the frontal view
    frontal = (corners.points[:, :2] / config.square + 0.5) * square
    H, _ = cv2.findHomography(corners.pixels, frontal)
    size = [round((n + 1) * square) for n in config.squares]
    view = cv2.warpPerspective(picture, H, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    half = max(int((config.square - config.marker) / (2 * config.square) * square), 2)
    start = cv2.perspectiveTransform(corners.pixels[:, None], H).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 60, 1e-3)
    met = cv2.cornerSubPix(view, start.copy(), (half, half), (-1, -1), stop)
    keep = np.linalg.norm(met - start, axis=2)[:, 0] < half  # a search that walked off found another edge
    back = cv2.perspectiveTransform(met.astype(np.float64), np.linalg.inv(H))[:, 0]
    found = Corners(corners.ids[keep], back[keep], corners.points[keep])
    return found if spans_plane(found) else NO_CORNERS


def _on_grid(corners: Corners, square: float) -> Corners:
    """Drop corners that were mistaken for others: those that a plane in perspective cannot put there."""
    H, _ = cv2.findHomography(corners.pixels, corners.points[:, :2], cv2.RANSAC, OFF_GRID * square)
    if H is None:
        return NO_CORNERS
    back = cv2.perspectiveTransform(corners.pixels[:, None], H)[:, 0]
    keep = np.linalg.norm(back - corners.points[:, :2], axis=1) < OFF_GRID * square
    found = Corners(corners.ids[keep], corners.pixels[keep], corners.points[keep])
    return found if len(found) >= 0.5 * len(corners) and spans_plane(found) else NO_CORNERS
