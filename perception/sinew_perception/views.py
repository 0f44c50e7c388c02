"""One camera's contribution: its coloured pixels as points in the base frame, and what hides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sinew_core.types import CameraFrame, CameraModel, DepthArray, FloatArray
from sinew_perception.segmentation import coloured_pixels

Indices = npt.NDArray[np.intp]

DEPTH_JUMP = 0.01  # m; a neighbour nearer by this much hides what lies behind it
BELOW_TABLE = -0.01  # m; lower points are errors or the floor beside the table


@dataclass(frozen=True, slots=True)
class Lens:
    """A camera's rays at the working resolution: every `stride`-th pixel in both directions."""

    model: CameraModel
    stride: int
    rays: npt.NDArray[np.float32]  # (h * w, 3) camera frame, at depth 1

    def full_pixel(self, flat: float, width: int) -> FloatArray:
        """Return column and row (2,) in the full image of a flat index in the working one."""
        return np.array([flat % width, flat // width], dtype=np.float64) * self.stride


@dataclass(frozen=True, slots=True)
class View:
    """The coloured points that one camera sees."""

    lens: Lens
    depth: DepthArray  # (h, w) m, working resolution
    pixels: Indices  # (n,) flat, working resolution
    points: FloatArray  # (n, 3) m, base frame
    colours: npt.NDArray[np.uint8]  # (n,) places in COLOURS
    eye: FloatArray  # (3,) m, base frame
    spacing: float  # m between neighbouring pixels, typically


def make_lens(model: CameraModel, work_width: int) -> Lens:
    """Return the rays of the pixels that are looked at when images are thinned to about `work_width`."""
    stride = max(1, round(model.width / work_width))
    columns, rows = np.meshgrid(np.arange(0, model.width, stride), np.arange(0, model.height, stride))
    x, y = (columns - model.cx) / model.fx, (rows - model.cy) / model.fy
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3).astype(np.float32)
    return Lens(model, stride, rays)


def check_frame(frame: CameraFrame, model: CameraModel) -> DepthArray:
    """Return the frame's depth; raises ValueError naming the camera when the frame does not fit it."""
    expected = (model.height, model.width)
    if frame.rgb.shape != (*expected, 3):
        raise ValueError(
            f"camera '{model.name}': got an image of {frame.rgb.shape}, expected {(*expected, 3)}."
        )
    if frame.depth is None:
        raise ValueError(f"camera '{model.name}': no depth; keypoint detection needs RGB-D frames.")
    if frame.depth.shape != expected:
        raise ValueError(f"camera '{model.name}': got depth of {frame.depth.shape}, expected {expected}.")
    return frame.depth


def make_view(
    frame: CameraFrame,
    lens: Lens,
    X_BC: FloatArray,
    *,
    min_chroma: int,
    min_saturation: float,
    max_depth: float,
) -> View:
    """Find the coloured points of a frame; pixels without depth, or beyond `max_depth` m, have no point."""
    depth = check_frame(frame, lens.model)[:: lens.stride, :: lens.stride]
    rgb = np.ascontiguousarray(frame.rgb[:: lens.stride, :: lens.stride])
    pixels, colours = coloured_pixels(rgb, min_chroma, min_saturation)
    range_m = depth.reshape(-1)[pixels]
    points = (lens.rays[pixels] * range_m[:, None]) @ X_BC[:3, :3].T + X_BC[:3, 3]
    kept = (range_m > 0) & (range_m < max_depth) & (points[:, 2] > BELOW_TABLE)
    spacing = float(np.median(range_m[kept])) * lens.stride / lens.model.fx if kept.any() else 0.0
    return View(lens, depth, pixels[kept], points[kept], colours[kept], X_BC[:3, 3], spacing)


def unhidden(views: Sequence[View], labels: Sequence[Indices], count: int) -> FloatArray:
    """Return for each label (count,) how much of its outline is its own, in the camera that sees it best.

    `labels` holds one array (n,) per view, -1 for none. An outline pixel that borders on something nearer,
    or on the edge of the image, belongs to what hides the object; the rest is the object's own.
    """
    best = np.zeros(count)
    for view, label in zip(views, labels, strict=True):
        own, whole = _outline(view, label, count)
        best = np.maximum(best, np.where(whole >= 8, own / np.maximum(whole, 1), 0.0))
    return best


def _outline(view: View, label: Indices, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the number of outline steps (count,) that are the object's own, and of all."""
    height, width = view.depth.shape
    # A rim of something very near makes the edge of the image count as hiding.
    depth = cv2.copyMakeBorder(view.depth, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1e-3).reshape(-1)
    labelled = label >= 0
    at = view.pixels[labelled]
    at = (at // width + 1) * (width + 2) + at % width + 1
    label = label[labelled]
    image = np.full(len(depth), -1, dtype=np.intp)
    image[at] = label
    own, whole = np.zeros(count), np.zeros(count)
    for step in (-1, 1, -width - 2, width + 2):
        beside = at + step
        edge = image[beside] != label
        near = depth[beside]
        hidden = edge & (near > 0) & (near < depth[at] - DEPTH_JUMP)
        whole += np.bincount(label[edge], minlength=count)
        own += np.bincount(label[edge & ~hidden], minlength=count)
    return own, whole
