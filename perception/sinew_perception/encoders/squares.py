"""Images of any shape brought to the square that a network looks at."""

from __future__ import annotations

import cv2
import numpy as np
from sinew_core.types import ImageArray


def square(image: ImageArray, edge: int) -> ImageArray:
    """Return an image (h, w, 3) brought to (edge, edge, 3), its middle kept where it is not square."""
    height, width = image.shape[:2]
    least = min(height, width)
    top, left = (height - least) // 2, (width - least) // 2
    middle = image[top : top + least, left : left + least]
    if least == edge:
        return np.ascontiguousarray(middle)
    how = cv2.INTER_AREA if least > edge else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (edge, edge), interpolation=how), dtype=np.uint8)
