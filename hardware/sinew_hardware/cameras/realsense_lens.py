"""The lens of a RealSense's colour camera as OpenCV describes one, and whether a hardware file agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.types import CameraModel, FloatArray

from sinew_hardware.calibration.lens import lens_of, project

GRID = 15  # points along each side of the picture
MISFIT = 0.1  # px that a lens written for OpenCV may deviate from the device's own


def opencv_lens(rs: Any, intrinsics: Any) -> IntrinsicsConfig:
    """Return `rs.intrinsics` as calibrated intrinsics; raises DeviceError for a lens unlike OpenCV's."""
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.ppx, intrinsics.ppy
    if intrinsics.model == rs.distortion.none or not any(intrinsics.coeffs):
        return IntrinsicsConfig(fx, fy, cx, cy)
    if intrinsics.model == rs.distortion.brown_conrady:  # OpenCV's own
        return IntrinsicsConfig(fx, fy, cx, cy, tuple(intrinsics.coeffs))
    pinhole = IntrinsicsConfig(fx, fy, cx, cy)
    rays = _rays(pinhole, intrinsics.width, intrinsics.height)
    pixels = np.array([rs.rs2_project_point_to_pixel(intrinsics, ray.tolist()) for ray in rays])
    lens = IntrinsicsConfig(fx, fy, cx, cy, _fit(rays, (pixels - (cx, cy)) / (fx, fy)))
    misfit = float(np.abs(project(lens, np.eye(4), rays) - pixels).max())
    if misfit > MISFIT:
        raise DeviceError(
            f"its lens ({intrinsics.model.name}) cannot be written with OpenCV's five coefficients: they "
            f"miss by {misfit:.1f} px. Run `sinew calibrate camera` and store what it finds."
        )
    return lens


def _fit(rays: FloatArray, bent: FloatArray) -> tuple[float, ...]:
    """Return k1, k2, p1, p2, k3 that bend rays (m, 3) to where they are seen (m, 2): they enter linearly."""
    x, y = rays[:, 0], rays[:, 1]
    r2 = x**2 + y**2
    along_x = np.column_stack([x * r2, x * r2**2, 2 * x * y, r2 + 2 * x**2, x * r2**3])
    along_y = np.column_stack([y * r2, y * r2**2, r2 + 2 * y**2, 2 * x * y, y * r2**3])
    shift = np.concatenate([bent[:, 0] - x, bent[:, 1] - y])
    found = np.linalg.lstsq(np.concatenate([along_x, along_y]), shift, rcond=None)[0]
    return tuple(float(value) for value in found)


def check_lens(
    name: str, device: IntrinsicsConfig, camera: CameraConfig, model: CameraModel, most: float
) -> None:
    """Raise ConfigError if the hardware file's lens and the device's differ by over `most` px anywhere."""
    given = camera.intrinsics or lens_of(model)
    rays = _rays(lens_of(model), model.width, model.height)
    apart = project(given, np.eye(4), rays) - project(device, np.eye(4), rays)
    furthest = float(np.linalg.norm(apart, axis=1).max())
    if furthest > most:
        raise ConfigError(
            f"{name}: the lens in the hardware file ({_text(given)}) and the device's own ({_text(device)}) "
            f"show the same point up to {furthest:.1f} px apart; at most {most:g} px are allowed "
            "(`tolerance` of its device). Run `sinew calibrate camera`, which stores the device's lens as "
            "`intrinsics`."
        )


def _rays(lens: IntrinsicsConfig, width: int, height: int) -> FloatArray:
    """Return directions (m, 3) at z = 1 that a lens without distortion spreads evenly over its picture."""
    u, v = np.meshgrid(np.linspace(0, width - 1, GRID), np.linspace(0, height - 1, GRID))
    x, y = (u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy
    return np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])


def _text(lens: IntrinsicsConfig) -> str:
    numbers = f"fx: {lens.fx:.2f}, fy: {lens.fy:.2f}, cx: {lens.cx:.2f}, cy: {lens.cy:.2f}"
    bent = ", ".join(f"{value:.5f}" for value in lens.distortion)
    return f"{numbers}, distortion: [{bent}]" if bent else numbers
