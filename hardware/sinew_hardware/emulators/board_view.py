"""True pictures of a printed board or tag: known lens, known pose, and the faults of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.types import FloatArray, ImageArray

from sinew_hardware.calibration.board import BoardConfig, GreyArray, draw_board
from sinew_hardware.calibration.tag import TagConfig, draw_tag

SQUARE = 120  # px of a square in the drawing, which is sampled more coarsely than that
TAG = 320  # px of a tag's edge in its drawing
TABLE, TABLE_SIZE = 800, 1.6  # px, m of the table's drawing; mirrored beyond


@dataclass(frozen=True, slots=True)
class Look:
    """A camera's faults and the light."""

    blur: float = 0.6  # px, standard deviation of the lens' and the sensor's spread
    noise: float = 2.0  # grey levels, standard deviation
    gradient: float = 0.3  # how much darker the dark end of the picture is than the bright one
    contrast: float = 0.75  # of ink and paper
    samples: int = 3  # rays a pixel, along each axis


@dataclass(frozen=True, slots=True)
class Print:
    """A drawing on white paper: where its pixels lie in the plane of the board, and how far it reaches."""

    picture: GreyArray
    scale: float  # m a pixel
    corner: tuple[float, float]  # m, the paper's upper left corner in the board's frame


def print_of(target: BoardConfig | TagConfig) -> Print:
    """Return a board or tag as printed, with a white margin."""
    if isinstance(target, BoardConfig):
        margin, scale, bare, start = SQUARE // 2, target.square / SQUARE, draw_board(target, SQUARE), 0.0
    else:
        margin, scale, bare, start = TAG // 4, target.size / TAG, draw_tag(target, TAG), -target.size / 2
    border = cv2.copyMakeBorder(bare, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=255)
    return Print(border, scale, (start - margin * scale, start - margin * scale))


class BoardView:
    """Renders a print on a table as a camera would see them; `lens` and `size` (width, height) are the truth.

    The rays of the pixels are worked out once, by inverting the lens' distortion.
    """

    def __init__(
        self,
        target: BoardConfig | TagConfig,
        lens: IntrinsicsConfig,
        size: tuple[int, int],
        look: Look | None = None,
        seed: int = 0,
    ) -> None:
        self._look = look or Look()
        self._print = print_of(target)
        rng = np.random.default_rng(seed)
        self._coarse = _rays(lens, size, 1)
        self._fine = _rays(lens, size, self._look.samples)
        table = _table(rng)
        self._table = Print(table, TABLE_SIZE / TABLE, (-TABLE_SIZE / 2, -TABLE_SIZE / 2))
        self._light = _light(size, self._look.gradient, rng)

    def render(
        self, X_CB: FloatArray, rng: np.random.Generator, X_CT: FloatArray | None = None
    ) -> ImageArray:
        """Return the picture (h, w, 3) with the board at `X_CB` and the table's face at `X_CT` (4, 4).

        Without `X_CT` the board lies on the table, which reaches as far as there is to see.
        """
        shade, seen = _hits(self._table, X_CB if X_CT is None else X_CT, self._coarse, cv2.BORDER_REFLECT)
        grey = np.where(seen, shade, 90.0)
        rows, columns = self._around(X_CB)
        n = self._look.samples
        rays = self._fine[rows.start * n : rows.stop * n, columns.start * n : columns.stop * n]
        if rays.size:
            ink, seen = _hits(self._print, X_CB, rays, cv2.BORDER_CONSTANT)
            part = (rays.shape[1] // n, rays.shape[0] // n)
            on_paper = (seen & (ink >= 0)).astype(np.float64)
            paper = (235.0 - self._look.contrast * (255.0 - ink)) * on_paper
            share = cv2.resize(on_paper, part, interpolation=cv2.INTER_AREA)
            level = cv2.resize(paper, part, interpolation=cv2.INTER_AREA)
            grey[rows, columns] = level + (1 - share) * grey[rows, columns]
        return self._expose(grey, rng)

    def _around(self, X_CB: FloatArray) -> tuple[slice, slice]:
        """Return the rows and columns of pixels whose rays may meet the print, and some more."""
        corner, side = (
            np.array(self._print.corner),
            np.array(self._print.picture.shape[::-1]) * self._print.scale,
        )
        x, y, w = np.einsum("ij,hwj->ihw", _to_plane(X_CB), self._coarse)
        inside = w > 0
        for place, start, length in zip((x, y), corner, side, strict=True):
            inside &= (place >= (start - 0.05 * length) * w) & (place <= (start + 1.05 * length) * w)
        rows, columns = np.nonzero(inside.any(axis=1))[0], np.nonzero(inside.any(axis=0))[0]
        if not len(rows):
            return slice(0, 0), slice(0, 0)
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def _expose(self, grey: FloatArray, rng: np.random.Generator) -> ImageArray:
        """Return the picture that a sensor makes of what its rays hit."""
        if self._look.blur > 0:
            grey = cv2.GaussianBlur(grey, (0, 0), self._look.blur)
        colours = grey[..., None] * self._light[..., None] * np.array([1.0, 0.98, 0.95])
        noisy = colours + rng.normal(0.0, self._look.noise, colours.shape)
        picture: ImageArray = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
        return picture


def _hits(
    drawn: Print, X_CP: FloatArray, rays: FloatArray, border: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return what rays (h, w, 3) hit in a print (h, w), -1 outside it, and whether they hit its face."""
    x, y, w = np.einsum("ij,hwj->ihw", _to_plane(X_CP), rays)
    u = ((x / w - drawn.corner[0]) / drawn.scale - 0.5).astype(np.float32)
    v = ((y / w - drawn.corner[1]) / drawn.scale - 0.5).astype(np.float32)
    found = cv2.remap(drawn.picture.astype(np.float32), u, v, cv2.INTER_LINEAR, None, border, -1.0)
    facing = X_CP[:3, 2] @ X_CP[:3, 3] > 0  # z points away from who sees the face
    return found.astype(np.float64), (w > 0) & facing


def _to_plane(X_CP: FloatArray) -> FloatArray:
    """Return the homography (3, 3) from rays into the plane z = 0 of a frame, in m."""
    return np.linalg.inv(np.column_stack([X_CP[:3, 0], X_CP[:3, 1], X_CP[:3, 3]]))


def _rays(lens: IntrinsicsConfig, size: tuple[int, int], n: int) -> FloatArray:
    """Return the directions (h n, w n, 3), at z = 1, of `n` by `n` rays a pixel."""
    across, down = ((np.arange(side * n) + 0.5) / n - 0.5 for side in size)
    pixels = np.stack(np.meshgrid(across, down), axis=-1)
    K = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1]])
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-9)
    flat = cv2.undistortPoints(pixels.reshape(-1, 1, 2), K, np.array(lens.distortion), criteria=stop)
    return np.dstack([flat.reshape(pixels.shape), np.ones(pixels.shape[:2])])


def _table(rng: np.random.Generator) -> GreyArray:
    """Return a mottled table (TABLE, TABLE): something to see, nothing to mistake for a board."""
    rough = sum(
        cv2.resize(rng.normal(0, 1, (TABLE // s, TABLE // s)), (TABLE, TABLE), interpolation=cv2.INTER_CUBIC)
        * weight
        for s, weight in ((4, 6.0), (16, 10.0), (80, 12.0))
    )
    table: GreyArray = np.clip(115 + np.asarray(rough), 0, 255).astype(np.uint8)
    return table


def _light(size: tuple[int, int], gradient: float, rng: np.random.Generator) -> FloatArray:
    """Return brightness factors (h, w) that fall off in some direction."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    ramp = (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2)
    light: FloatArray = 1.0 - gradient * (1 + ramp) / 2
    return light
