"""What an object looked like when it was seen last, and what the cameras show where it should be now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_perception.tracking.eyes import Eye

POINTS = 48  # of each camera's view
SKIN = 0.003  # m around its box in which depth belongs to an object
FOOT = 0.002  # m above its underside, where the table begins
FLAT = 0.006  # m; of a thing that is lower, colour tells more than depth
TOLERANCE = 0.006  # m between two depths of one surface
TINGE = 60.0  # of 255; colours further apart belong to two surfaces
ENOUGH = 5  # points; fewer say nothing
STRAY = 0.25  # share of the points in view that may be off where an object still is
BARE = 0.8  # share of the points in view that are off where nothing is left
IN_VIEW = 0.3  # share of all points that must be in view for that


@dataclass(frozen=True, slots=True)
class Patch:
    """The part of a surface that one camera saw."""

    points: FloatArray  # (n, 3) m from the object's centre, its axes as they were
    colours: FloatArray  # (n, 3)


Surface = Mapping[str, Patch]  # by camera


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many points of a surface are where they should be, how many are not, and how many in all.

    The rest is hidden by something nearer, or outside the picture.
    """

    there: int
    gone: int
    total: int
    pixel: FloatArray | None = None  # (2,) px, the middle of what is there, in the first camera

    @property
    def supports(self) -> bool:
        """Whether the object is seen to be there, as far as it is seen at all."""
        return self.there >= ENOUGH and self.gone <= STRAY * (self.there + self.gone)

    @property
    def contradicts(self) -> bool:
        """Whether the object is seen not to be there, in part at least."""
        return self.gone >= ENOUGH and self.gone > STRAY * (self.there + self.gone)

    @property
    def empty(self) -> bool:
        """Whether the place is plainly seen not to hold it."""
        in_view = self.there + self.gone
        return in_view >= max(IN_VIEW * self.total, ENOUGH) and self.gone >= BARE * in_view

    @property
    def share(self) -> float:
        """The share of the surface that is there."""
        return self.there / self.total if self.total else 0.0


def take_surface(
    eyes: Mapping[str, Eye], position: FloatArray, yaw: float | None, extent: FloatArray
) -> Surface:
    """Return what each camera shows of an object: centre (3,) m, yaw rad, extent (3,) m."""
    patches = {name: _take_patch(eye, position, yaw or 0.0, extent) for name, eye in eyes.items()}
    return {name: patch for name, patch in patches.items() if len(patch.points) >= ENOUGH}


def _take_patch(eye: Eye, position: FloatArray, yaw: float, extent: FloatArray) -> Patch:
    half = extent / 2
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    corners = (np.indices((2, 2, 2)).reshape(3, -1).T * 2 - 1) * (half + SKIN)
    pixels, far = eye.project(corners @ R.T + position)
    if far.min() <= 0:
        return Patch(np.empty((0, 3)), np.empty((0, 3)))
    size = np.array([eye.model.width, eye.model.height])
    low = np.floor(pixels.min(axis=0)).clip(0, size).astype(int)
    high = (np.ceil(pixels.max(axis=0)) + 1).clip(0, size).astype(int)
    columns, rows = (
        axis.ravel() for axis in np.meshgrid(*(np.arange(*ends) for ends in zip(low, high, strict=True)))
    )
    depth = eye.depth[rows, columns].astype(np.float64)
    points = eye.lift(columns.astype(np.float64), rows.astype(np.float64), depth) - position
    own = np.flatnonzero((depth > 0) & _inside(points @ R, half))
    own = own[:: 1 + len(own) // POINTS]
    return Patch(points[own], eye.rgb[rows[own], columns[own]].astype(np.float64))


def _inside(points: FloatArray, half: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which points (n, 3), in the object's own axes, belong to it and not to what it stands on."""
    x, y, z = points.T
    if 2 * half[2] < FLAT:  # well inside its outline, since the table is as high
        top: npt.NDArray[np.bool_] = np.abs(z - half[2]) < SKIN
        round_: npt.NDArray[np.bool_] = np.hypot(x / half[0], y / half[1]) < 0.85
        return top & round_
    beside = np.maximum(np.abs(x) - half[0], np.abs(y) - half[1])
    inside: npt.NDArray[np.bool_] = (beside < SKIN) & (z > FOOT - half[2]) & (z < half[2] + SKIN)
    return inside


def judge(eyes: Mapping[str, Eye], surface: Surface, position: FloatArray, rotation: FloatArray) -> Evidence:
    """Compare a surface, turned by (3, 3) about its centre at (3,) m, with what the cameras show."""
    there = gone = total = 0
    middle = None
    for name, patch in surface.items():
        total += len(patch.points)
        eye = eyes.get(name)
        if eye is None:
            continue
        pixels, far = eye.project(patch.points @ rotation.T + position)
        rows, columns, inside = eye.look_up(pixels)
        depth = eye.depth[rows, columns]
        off = depth - far
        near = np.abs(off) < TOLERANCE
        alike = np.abs(eye.rgb[rows, columns] - patch.colours).max(axis=1) < TINGE
        seen = inside & (depth > 0)
        agrees = seen & near & alike
        there += int(agrees.sum())
        gone += int((seen & ((off >= TOLERANCE) | (near & ~alike))).sum())
        if middle is None and agrees.sum() >= ENOUGH:
            middle = pixels[agrees].mean(axis=0)
    return Evidence(there, gone, total, middle)
