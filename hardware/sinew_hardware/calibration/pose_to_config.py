"""A calibrated camera as its lines in a hardware file: the very same pose, written as position and view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.types import FloatArray


def with_pose(config: CameraConfig, X_LC: FloatArray, link: str) -> CameraConfig:
    """Return a camera's configuration with its pose `X_LC` (4, 4) in `link`, to be written unrounded.

    `look_at` is the point 1 m along the optical axis, and `up` what the picture's columns run against:
    `CameraConfig.model` gives the same matrix again. A matrix that is no pose is a ValueError.
    """
    R = X_LC[:3, :3]
    if X_LC.shape != (4, 4) or np.abs(R.T @ R - np.eye(3)).max() > 1e-9 or np.linalg.det(R) < 0:
        raise ValueError("X_LC: expected a pose (4, 4) with a right-handed, orthonormal rotation.")
    x, y, z = (float(value) for value in X_LC[:3, 3])
    ahead = X_LC[:3, 3] + R[:, 2]
    up = -R[:, 1]
    return replace(
        config,
        position=(x, y, z),
        look_at=(float(ahead[0]), float(ahead[1]), float(ahead[2])),
        up=(float(up[0]), float(up[1]), float(up[2])),
        link=link,
    )


def with_lens(config: CameraConfig, lens: IntrinsicsConfig) -> CameraConfig:
    """Return a camera's configuration with a calibrated lens, and the field of view that follows."""
    fovy = float(np.degrees(2 * np.arctan(0.5 * config.height / lens.fy)))
    return replace(config, intrinsics=lens, fovy=fovy)
