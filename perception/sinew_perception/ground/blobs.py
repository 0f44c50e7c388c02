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
OWN_SHARE = 0.15  # of connected cells that a colour must have to be a thing of its own
RAISED = 0.005  # m above the table; lower points near a thing are the table's
LOW = ("pad",)  # kinds that do not rise above the table
WIDEST = 0.13  # m; pieces of one colour that are farther apart are two things
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
    return sorted(_joined(blobs, maps, camera, depth), key=lambda blob: float(np.hypot(*blob.position[:2])))


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
    """Divide connected cells by colour; colours of next to no cells are shades of the others."""
    families = maps.family.reshape(-1, len(FAMILIES))[inside]
    own = families.argmax(1)
    share = np.bincount(own, minlength=len(FAMILIES)) / len(inside)
    few = (share < OWN_SHARE) | (share * len(inside) < FEWEST)
    few[share.argmax()] = False
    best = np.where(few, -1.0, families).argmax(1)
    pieces = []
    for family in np.unique(best):
        mask = np.zeros(maps.thing.size, np.uint8)
        mask[inside[best == family]] = 1
        count, labels = cv2.connectedComponents(mask.reshape(maps.thing.shape), connectivity=8)
        parts = [np.flatnonzero(labels == i) for i in range(1, count)]
        pieces += [part for part in parts if len(part) >= FEWEST]
    return pieces


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
    tall = top if kind in ("bowl", "pad") or top < 2 * size.max() else min(top, float(size.max()))
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
    """Join pieces of one bowl or pad that the arm, or what lies on it, divides."""
    whole: list[Blob] = []
    for blob in sorted(blobs, key=lambda item: -len(item.cells)):
        for i, other in enumerate(whole):
            if _one_thing(blob, other):
                whole[i] = _blob(np.concatenate([other.cells, blob.cells]), maps, camera, depth)
                break
        else:
            whole.append(blob)
    return whole


def _one_thing(a: Blob, b: Blob) -> bool:
    if a.family != b.family or not {a.kind, b.kind} & {"bowl", "pad"}:
        return False
    low = np.minimum(a.position - a.extent / 2, b.position - b.extent / 2)[:2]
    high = np.maximum(a.position + a.extent / 2, b.position + b.extent / 2)[:2]
    return bool((high - low).max() < WIDEST)
