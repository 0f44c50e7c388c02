"""What a classifier looks at: some cameras, each cropped and shrunk to one square size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, CameraModel, ImageArray
from torch.nn import functional

SMALLEST = 16  # px, edge
ROOM, TALL = 0.05, 0.1  # m, around a scene and above the table


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera, the size of its images, and the part of them that counts."""

    name: str
    width: int  # px
    height: int  # px
    crop: tuple[int, int, int, int]  # px: left, top, right, bottom

    def __post_init__(self) -> None:
        """Check that the crop lies in the image."""
        left, top, right, bottom = self.crop
        if not (0 <= left < right <= self.width and 0 <= top < bottom <= self.height):
            raise ValueError(
                f"crop of camera '{self.name}': expected left,top,right,bottom within "
                f"{self.width}x{self.height} px, got {left},{top},{right},{bottom}."
            )

    @classmethod
    def whole(cls, name: str, width: int, height: int) -> CameraView:
        """Return the view of all of a camera's image."""
        return cls(name, width, height, (0, 0, width, height))


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """Which cameras, in which order, at which size."""

    views: tuple[CameraView, ...]
    size: int = 128  # px, edge of what the network sees

    def __post_init__(self) -> None:
        """Check that there is something to look at."""
        if not self.views:
            raise ValueError("views: expected at least one camera.")
        if self.size < SMALLEST:
            raise ValueError(f"size: expected at least {SMALLEST} px, got {self.size}.")

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras' names."""
        return tuple(view.name for view in self.views)

    @property
    def digest(self) -> str:
        """A short name of everything here."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


def view_of(model: CameraModel, crop: tuple[int, int, int, int] | None = None) -> CameraView:
    """Return a camera's view, of the whole image without a crop."""
    if crop is None:
        return CameraView.whole(model.name, model.width, model.height)
    return CameraView(model.name, model.width, model.height, crop)


def scene_crop(hardware: Hardware, camera: str) -> tuple[int, int, int, int]:
    """Return the part of a fixed camera's image in which the hardware's scene can appear, with room around.

    What a network need not look at costs it sharpness. Of a camera on a moving link it is the whole image.
    """
    model = hardware.cameras[camera]
    whole = (0, 0, model.width, model.height)
    if model.link != hardware.robot.base_link:
        return whole
    scene = hardware.config.scene
    xs, ys = ((low - ROOM, high + ROOM) for low, high in zip(scene.lower, scene.upper, strict=True))
    corners = np.array([(x, y, z, 1.0) for x in xs for y in ys for z in (0.0, TALL)])
    x, y, depth = (np.linalg.inv(model.X_LC) @ corners.T)[:3]
    if depth.min() <= 0:
        return whole
    columns, rows = model.fx * x / depth + model.cx, model.fy * y / depth + model.cy
    left, right = np.clip([columns.min(), columns.max() + 1], 0, model.width).astype(int)
    top, bottom = np.clip([rows.min(), rows.max() + 1], 0, model.height).astype(int)
    return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else whole


def missing_cameras(frames: Mapping[str, CameraFrame], spec: PictureSpec) -> list[str]:
    """Return the cameras that an observation has no frame of."""
    return [name for name in spec.cameras if name not in frames]


def shrunk(rgb: ImageArray, view: CameraView, size: int) -> ImageArray:
    """Return the part of an image (h, w, 3) that counts, at (size, size, 3), squeezed if it is no square.

    Raises ValueError for an image that is not of the camera's size.
    """
    if rgb.shape != (view.height, view.width, 3) or rgb.dtype != np.uint8:
        raise ValueError(
            f"camera '{view.name}': got an image of {rgb.dtype} {rgb.shape}, "
            f"expected uint8 {(view.height, view.width, 3)}."
        )
    left, top, right, bottom = view.crop
    part = rgb[top:bottom, left:right]
    if part.shape[:2] == (size, size):
        return part.copy()
    pixels = torch.from_numpy(np.ascontiguousarray(part)).permute(2, 0, 1)[None].float()
    small = functional.interpolate(pixels, (size, size), mode="bilinear", antialias=True)
    out: ImageArray = small[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
    return np.ascontiguousarray(out)


def pictures_of(frames: Mapping[str, CameraFrame], spec: PictureSpec) -> ImageArray:
    """Return what the network sees of an observation's frames, (cameras, size, size, 3)."""
    return np.stack([shrunk(frames[view.name].rgb, view, spec.size) for view in spec.views])
