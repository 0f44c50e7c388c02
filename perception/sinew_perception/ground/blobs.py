"""From maps to things: connected cells of one colour, with what they are and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.types import DepthArray, FloatArray

from sinew_perception.geometry import PosedCamera, lift, meet_height
from sinew_perception.ground.lexicon import FAMILIES, SHAPES
from sinew_perception.ground.views import STRIDE

Map = npt.NDArray[np.float32]
Cells = npt.NDArray[np.intp]

FEWEST = 3  # cells of a thing
SURE = 0.75  # mean probability of cells that are a thing of their own among connected ones
RAISED = 0.005  # m above the table; lower points near a thing are the table's
LARGE = ("bowl", "pad")
LOW = ("pad",)  # kinds that do not rise above the table
WIDEST = 0.13  # m; pieces of one colour that are farther apart are two things
NARROWEST_LARGE, WIDEST_SMALL = 0.045, 0.075  # m, of bowls and pads, and of other things
FOOT = 0.12  # m around the base's axis, where the robot itself stands
SMALLEST_PAIR = 0.042  # m that two small things side by side span, at least
SAME_HEIGHT = 0.012  # m between the tops of two pieces of one thing
SHADES = (
    {"blue", "purple"},
    {"purple", "pink"},
    {"pink", "red"},
    {"red", "orange"},
    {"orange", "yellow"},
    {"yellow", "green"},
    {"pink", "white"},
    {"yellow", "white"},
    {"blue", "black"},
    {"green", "black"},
)
USUAL = {"cube": 0.028, "cylinder": 0.036, "sphere": 0.030, "bowl": 0.028, "pad": 0.001}  # m high
ENOUGH_DEPTH = 0.3  # share of a thing's pixels


@dataclass(frozen=True, slots=True)
class Maps:
    """What the network sees, at stride 4: rows x columns."""

    thing: Map  # (r, c) probability
    family: Map  # (r, c, families) probability
    kind: Map  # (r, c, shapes) probability


@dataclass(frozen=True, slots=True)
class Blob:
    """A thing that is seen: its cells, the names it goes by, and where it is."""

    cells: Cells  # (k,) flat
    family: str
    kind: str
    position: FloatArray  # (3,) m, centre
    extent: FloatArray  # (3,) m along x, y and z
    pixel: FloatArray  # (2,) in the network's image

    @property
    def name(self) -> str:
        """Its name as keypoints are named."""
        return f"{self.family}_{self.kind}"


def find_blobs(maps: Maps, camera: PosedCamera, depth: DepthArray | None) -> list[Blob]:
    """Return the things that the maps show, the nearest to the base first."""
    blobs = [_blob(cells, maps, camera, depth) for cells in _pieces(maps)]
    whole = [blob for blob in _joined(blobs, maps, camera, depth) if _plausible(blob)]
    return sorted(whole, key=lambda blob: float(np.hypot(*blob.position[:2])))


def _plausible(blob: Blob) -> bool:
    """Whether a thing is as wide as its kind, and not at the robot's foot: its white plates are no bowls."""
    wide = float(blob.extent[:2].max())
    if np.hypot(*blob.position[:2]) < FOOT:
        return False
    return wide >= NARROWEST_LARGE if blob.kind in LARGE else wide <= WIDEST_SMALL


def _pieces(maps: Maps) -> list[Cells]:
    """Return the cells of each connected piece of one colour."""
    lit = (maps.thing > 0.5).astype(np.uint8)
    count, labels = cv2.connectedComponents(lit, connectivity=4)
    pieces = []
    for label in range(1, count):
        inside = np.flatnonzero(labels == label)
        pieces += _by_colour(inside, maps) if len(inside) >= FEWEST else []
    return pieces


def _by_colour(inside: Cells, maps: Maps) -> list[Cells]:
    """Divide connected cells by colour, and small things from the bowls and pads that they lie in.

    Only what the network is sure of is a thing of its own; the rest are shades and edges of that.
    """
    classes = _classes(inside, maps)
    best = classes.argmax(1)
    sure = {
        label
        for label in np.unique(best)
        for part in _connected(inside[best == label], maps)
        if len(part) >= FEWEST and classes[np.isin(inside, part), label].mean() >= SURE
    }
    if len(sure) < 2:
        return [inside]
    best = np.where(np.isin(np.arange(classes.shape[1]), list(sure)), classes, -1.0).argmax(1)
    parts = [part for label in sorted(sure) for part in _connected(inside[best == label], maps)]
    return [part for part in parts if len(part) >= FEWEST]


def _classes(inside: Cells, maps: Maps) -> FloatArray:
    """Return the probabilities (k, 2 * families) of each colour as a small thing and as a large one."""
    families = maps.family.reshape(-1, len(FAMILIES))[inside].astype(np.float64)
    large = maps.kind.reshape(-1, len(SHAPES))[inside][:, [SHAPES.index(kind) for kind in LARGE]].sum(1)
    return np.hstack([families * (1 - large[:, None]), families * large[:, None]])


def _connected(cells: Cells, maps: Maps) -> list[Cells]:
    mask = np.zeros(maps.thing.size, np.uint8)
    mask[cells] = 1
    count, labels = cv2.connectedComponents(mask.reshape(maps.thing.shape), connectivity=8)
    return [np.flatnonzero(labels == i) for i in range(1, count)]


def _blob(cells: Cells, maps: Maps, camera: PosedCamera, depth: DepthArray | None) -> Blob:
    weight = maps.thing.ravel()[cells]
    family = FAMILIES[int((weight @ np.log(maps.family.reshape(-1, len(FAMILIES))[cells] + 1e-4)).argmax())]
    kind = SHAPES[int((weight @ np.log(maps.kind.reshape(-1, len(SHAPES))[cells] + 1e-4)).argmax())]
    pixels = _pixels(cells, maps.thing.shape[1])
    pixel = (np.percentile(pixels, 3, axis=0) + np.percentile(pixels, 97, axis=0)) / 2
    position, extent = _place(pixels, pixel, kind, camera, depth)
    return Blob(cells, family, kind, position, extent, pixel)


def _pixels(cells: Cells, columns: int) -> FloatArray:
    """Return column and row of all pixels (n, 2) of cells."""
    rows, cols = np.divmod(cells, columns)
    inner = np.arange(STRIDE)
    y = (rows[:, None, None] * STRIDE + inner[None, :, None]) + 0 * inner[None, None, :]
    x = (cols[:, None, None] * STRIDE + inner[None, None, :]) + 0 * inner[None, :, None]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


def _place(
    pixels: FloatArray, pixel: FloatArray, kind: str, camera: PosedCamera, depth: DepthArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return centre and extent from depth, or from the table's plane where there is none."""
    points = _surface(pixels, kind, camera, depth)
    if points is None:
        high = USUAL[kind]
        centre = meet_height(camera, pixel[None], high / 2)[0]
        edges = meet_height(camera, np.percentile(pixels, [3, 97], axis=0), high / 2)
        wide = float(np.abs(edges[1] - edges[0])[:2].mean())
        return centre, np.array([wide, wide, high])
    low, high_xy = np.percentile(points[:, :2], [2, 98], axis=0)
    centre_xy, size = (low + high_xy) / 2, high_xy - low
    top = max(float(np.percentile(points[:, 2], 95)), 0.0)
    tall = top if kind in LARGE or top < 2 * size.max() else min(top, float(size.max()))
    return np.array([*centre_xy, top - tall / 2]), np.array([*size, max(tall, 0.001)])


def _surface(
    pixels: FloatArray, kind: str, camera: PosedCamera, depth: DepthArray | None
) -> FloatArray | None:
    """Return the points (n, 3) of a thing's surface, None where too few pixels have depth."""
    if depth is None:
        return None
    columns, rows = pixels.astype(int).T
    far = depth[rows, columns].astype(np.float64)
    if np.mean(far > 0) < ENOUGH_DEPTH:
        return None
    points = lift(camera, pixels[far > 0], far[far > 0])
    raised = points[points[:, 2] > RAISED]
    return raised if kind not in LOW and len(raised) >= ENOUGH_DEPTH * len(points) else points


def _joined(blobs: Sequence[Blob], maps: Maps, camera: PosedCamera, depth: DepthArray | None) -> list[Blob]:
    """Join the pieces of one bowl or pad that something divides, and of one small thing of two shades."""
    whole: list[Blob] = []
    for blob in sorted(blobs, key=lambda item: -len(item.cells)):
        for i, other in enumerate(whole):
            if _one_large(blob, other) or _one_small(blob, other):
                whole[i] = _blob(np.concatenate([other.cells, blob.cells]), maps, camera, depth)
                break
        else:
            whole.append(blob)
    return whole


def _one_large(a: Blob, b: Blob) -> bool:
    return a.family == b.family and a.kind in LARGE and b.kind in LARGE and _span(a, b) < WIDEST


def _one_small(a: Blob, b: Blob) -> bool:
    """Whether two pieces, of colours that shade into each other, are too close to be two things."""
    alike = a.family == b.family or {a.family, b.family} in SHADES
    level = abs(_top(a) - _top(b)) < SAME_HEIGHT
    return alike and level and not {a.kind, b.kind} & set(LARGE) and _span(a, b) < SMALLEST_PAIR


def _span(a: Blob, b: Blob) -> float:
    """Return the length of the box around both, m."""
    low = np.minimum(a.position - a.extent / 2, b.position - b.extent / 2)[:2]
    high = np.maximum(a.position + a.extent / 2, b.position + b.extent / 2)[:2]
    return float((high - low).max())


def _top(blob: Blob) -> float:
    return float(blob.position[2] + blob.extent[2] / 2)
