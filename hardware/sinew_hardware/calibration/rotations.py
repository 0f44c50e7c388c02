"""Rotation vectors and small motions: the few formulas that the calibrations share."""

from __future__ import annotations

import numpy as np
from sinew_core.kinematics import transform
from sinew_core.types import FloatArray


def skew(v: FloatArray) -> FloatArray:
    """Return the cross-product matrices (..., 3, 3) of vectors (..., 3)."""
    K = np.zeros((*v.shape, 3))
    K[..., 0, 1], K[..., 0, 2], K[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return K - np.swapaxes(K, -1, -2)


def rotation(w: FloatArray) -> FloatArray:
    """Return the rotation (3, 3) of a rotation vector (3,), by Rodrigues' formula."""
    angle = float(np.linalg.norm(w))
    if angle < 1e-12:
        return np.eye(3) + skew(w)
    K = skew(w / angle)
    R: FloatArray = np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K
    return R


def rotation_vector(R: FloatArray) -> FloatArray:
    """Return the rotation vector (3,) of a rotation (3, 3), of length 0 to pi."""
    sine = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]]) / 2
    cosine = (np.trace(R) - 1) / 2
    size = float(np.linalg.norm(sine))
    if size > 1e-6:
        w: FloatArray = sine / size * np.arctan2(size, cosine)
        return w
    if cosine > 0:
        return sine
    axis = np.linalg.eigh((R + R.T) / 2)[1][:, 2]  # half a turn: the axis up to its sign
    half: FloatArray = np.pi * axis
    return half


def nearest_rotation(M: FloatArray) -> FloatArray:
    """Return the rotation (3, 3) nearest to a matrix (3, 3)."""
    U, _, Vt = np.linalg.svd(M)
    R: FloatArray = U @ np.diag([1.0, 1.0, np.linalg.det(U @ Vt)]) @ Vt
    return R


def moved(X: FloatArray, step: FloatArray) -> FloatArray:
    """Return pose X (4, 4) after a small motion (6,) in its own frame: rotation vector, then m."""
    return X @ transform(step[3:], rotation(step[:3]))


def inverse(X: FloatArray) -> FloatArray:
    """Return the inverses of poses (..., 4, 4)."""
    Y = np.zeros_like(X)
    Rt = np.swapaxes(X[..., :3, :3], -1, -2)
    Y[..., :3, :3], Y[..., 3, 3] = Rt, 1.0
    Y[..., :3, 3] = -np.einsum("...ij,...j->...i", Rt, X[..., :3, 3])
    return Y


def difference(X: FloatArray, Y: FloatArray) -> tuple[float, float]:
    """Return how far apart two poses (4, 4) of one frame are: in m, and in rad."""
    turn = rotation_vector(X[:3, :3].T @ Y[:3, :3])
    return float(np.linalg.norm(X[:3, 3] - Y[:3, 3])), float(np.linalg.norm(turn))
