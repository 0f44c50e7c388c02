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

DEPTH_JUMP = 0.006  # m; a neighbour nearer by this much hides what lies behind it
MIN_OUTLINE = 8  # steps along the outline; less says nothing
BELOW_TABLE = -0.01  # m; lower points are errors or the floor beside the table


@dataclass(frozen=True, slots=True)
class Lens:
    """A camera's rays at the working resolution: every `stride`-th pixel in both directions."""

    model: CameraModel
    stride: int
    rays: FloatArray  # (3, h * w) camera frame, at depth 1


@dataclass(frozen=True, slots=True)
class View:
    """The coloured points that one camera sees."""

    lens: Lens
    depth: DepthArray  # (h, w) m, working resolution
    pixels: Indices  # (n,) flat, working resolution
    points: FloatArray  # (3, n) m, base frame
    colours: npt.NDArray[np.uint8]  # (n,) places in COLOURS
    eye: FloatArray  # (3,) m, base frame
    spacing: float  # m between neighbouring pixels, typically


def make_lens(model: CameraModel, work_width: int) -> Lens:
    """Return the rays of the pixels that are looked at when images are thinned to about `work_width`."""
    stride = max(1, round(model.width / work_width))
    columns, rows = np.meshgrid(np.arange(0, model.width, stride), np.arange(0, model.height, stride))
    x, y = (columns - model.cx) / model.fx, (rows - model.cy) / model.fy
    rays = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
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
    depth = np.ascontiguousarray(check_frame(frame, lens.model)[:: lens.stride, :: lens.stride])
    rgb = np.ascontiguousarray(frame.rgb[:: lens.stride, :: lens.stride])
    pixels, colours = coloured_pixels(rgb, min_chroma, min_saturation)
    far = depth.reshape(-1)[pixels]
    points = X_BC[:3, :3] @ (lens.rays[:, pixels] * far) + X_BC[:3, 3:]
    kept = np.flatnonzero((far > 0) & (far < max_depth) & (points[2] > BELOW_TABLE))
    spacing = float(far[kept].mean()) * lens.stride / lens.model.fx if len(kept) else 0.0
    return View(lens, depth, pixels[kept], points[:, kept], colours[kept], X_BC[:3, 3], spacing)


def unhidden(views: Sequence[View], objects: Sequence[Indices]) -> FloatArray:
    """Return for each object how much of its outline is its own, in the camera that sees it best.

    `objects` holds each one's members among the points of all views, laid end to end. An outline pixel
    that borders on something nearer, or on the edge of the image, belongs to what hides the object.
    """
    ends = np.cumsum([len(view.pixels) for view in views])
    labels = np.full(ends[-1], len(objects), dtype=np.int32)  # one more, for what is no object's
    for number, members in enumerate(objects):
        labels[members] = number
    best = np.zeros(len(objects) + 1)
    for view, label in zip(views, np.split(labels, ends[:-1]), strict=True):
        own, whole = _outline(view, label, len(best))
        best = np.maximum(best, np.where(whole >= MIN_OUTLINE, own / np.maximum(whole, 1), 0.0))
    return best[:-1]


def _outline(view: View, label: npt.NDArray[np.int32], count: int) -> tuple[FloatArray, FloatArray]:
    """Return the number of outline steps (count,) that are the object's own, and of all."""
    width = view.depth.shape[1]
    # A rim of something very near makes the edge of the image count as hiding.
    depth = cv2.copyMakeBorder(view.depth, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1e-3).reshape(-1)
    at = (view.pixels // width + 1) * (width + 2) + view.pixels % width + 1
    image = np.full(len(depth), -1, dtype=np.int32)
    image[at] = label
    own, whole = np.zeros(count), np.zeros(count)
    for step in (-1, 1, -width - 2, width + 2):
        edge = np.flatnonzero(image[at + step] != label)
        here, beside, whose = depth[at[edge]], depth[at[edge] + step], label[edge]
        hidden = (beside > 0) & (beside < here - DEPTH_JUMP)
        whole += np.bincount(whose, minlength=count)
        own += np.bincount(whose[~hidden], minlength=count)
    return own, whole
