"""Point and coverage reward of one Gaussian for another: a smooth stand-in for hit or miss.

GUI-G2 (arXiv 2507.15846): a box stands for a Gaussian at its centre whose standard deviations are `alpha`
times its sides. The point reward is the target's density at the predicted centre over its peak, the
coverage reward the Bhattacharyya coefficient of the two. Nothing is rounded: what is far is small, not 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

ALPHA = 0.5


@dataclass(frozen=True, slots=True)
class Region:
    """A Gaussian in any number of dimensions n."""

    mean: FloatArray  # (n,)
    covariance: FloatArray  # (n, n)

    @property
    def degenerate(self) -> bool:
        """Whether it has no width in some direction."""
        return float(np.linalg.eigvalsh(self.covariance)[0]) <= 0.0


def box_rewards(predicted: npt.ArrayLike, target: npt.ArrayLike, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the point and the coverage reward of a box [x1, y1, x2, y2] for a target box, each 0 to 1.

    Raises ValueError for a box whose corners are the wrong way round; one without width or height earns 0.
    """
    return rewards(_box(predicted, alpha), _box(target, alpha))


def rewards(predicted: Region, target: Region) -> tuple[float, float]:
    """Return the point and the coverage reward, each 0 to 1; (0, 0) where either is degenerate."""
    if predicted.degenerate or target.degenerate:
        return 0.0, 0.0
    point, coverage = log_rewards(predicted, target)
    return float(np.exp(point)), float(np.exp(coverage))


def log_rewards(predicted: Region, target: Region) -> tuple[float, float]:
    """Return the logarithms of both: exact even where the rewards would be too small for a float."""
    offset = predicted.mean - target.mean
    point = -0.5 * _mahalanobis(offset, target.covariance)
    between = (predicted.covariance + target.covariance) / 2
    spread = _log_det(between) - (_log_det(predicted.covariance) + _log_det(target.covariance)) / 2
    return point, -(_mahalanobis(offset, between) / 8 + spread / 2)


def upright_region(centre: FloatArray, extent: FloatArray, yaw: float, alpha: float = ALPHA) -> Region:
    """Return the region of a thing of `extent` (3,) m turned by `yaw` rad about z; centre (3,) m.

    The covariance is block-diagonal: the ground plane, turned with the thing, and the height.
    """
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Region(np.array(centre, dtype=np.float64), R @ np.diag((alpha * extent) ** 2) @ R.T)


def _box(corners: npt.ArrayLike, alpha: float) -> Region:
    box = np.asarray(corners, dtype=np.float64)
    if box.shape != (4,) or not np.isfinite(box).all():
        raise ValueError(f"a box is four finite numbers x1, y1, x2, y2; got {corners!r}.")
    sides = box[2:] - box[:2]
    if (sides < 0).any():
        raise ValueError(f"box {box.tolist()}: x2 and y2 must not lie below x1 and y1.")
    return Region((box[:2] + box[2:]) / 2, np.diag((alpha * sides) ** 2))


def _mahalanobis(offset: FloatArray, covariance: FloatArray) -> float:
    return float(offset @ np.linalg.solve(covariance, offset))


def _log_det(covariance: FloatArray) -> float:
    return float(np.linalg.slogdet(covariance)[1])
