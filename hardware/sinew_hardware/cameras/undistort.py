"""What a lens shows, brought onto the pinhole of its camera model."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.types import CameraModel, ImageArray

from sinew_hardware.calibration.lens import coefficients, lens_of, matrix

RawDepth = npt.NDArray[np.uint16]


class Undistortion:
    """Maps from a calibrated lens to the model's pinhole, computed once; without distortion, a copy."""

    def __init__(self, lens: IntrinsicsConfig | None, model: CameraModel) -> None:
        self._smooth = self._nearest = None
        if lens is None or not any(lens.distortion):
            return
        size = (model.width, model.height)
        maps = cv2.initUndistortRectifyMap(
            matrix(lens), coefficients(lens), None, matrix(lens_of(model)), size, cv2.CV_32FC1
        )
        self._smooth = cv2.convertMaps(*maps, cv2.CV_16SC2)
        self._nearest = cv2.convertMaps(*maps, cv2.CV_16SC2, nninterpolation=True)

    def colour(self, rgb: ImageArray) -> ImageArray:
        """Return a colour image (h, w, 3) as the pinhole sees it, black where the lens sees nothing."""
        if self._smooth is None:
            return rgb.copy()
        return np.asarray(cv2.remap(rgb, self._smooth[0], self._smooth[1], cv2.INTER_LINEAR), dtype=np.uint8)

    def depth(self, raw: RawDepth) -> RawDepth:
        """Return a depth image (h, w) as the pinhole sees it: the nearest pixel's, never a mixture of two."""
        if self._nearest is None:
            return raw.copy()
        return np.asarray(
            cv2.remap(raw, self._nearest[0], self._nearest[1], cv2.INTER_NEAREST), dtype=np.uint16
        )
