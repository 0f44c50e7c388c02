"""Where a camera is mounted, in closed form: AX = XB from motions of the arm and of the board it saw."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.kinematics import transform
from sinew_core.types import FloatArray

from sinew_hardware.calibration.rotations import difference, inverse, nearest_rotation, rotation_vector

TURN = np.radians(10)  # rms rotation of the motions about their second most important axis
NEAR_HALF = np.radians(160)  # beyond, a rotation vector is about to change its sign


def hand_eye_start(
    X_LM: FloatArray, candidates: Sequence[Sequence[FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    """Return the camera in its link, `X_LC`, and the board in its own, `X_MB`; both (4, 4), m.

    `X_LM` (k, 4, 4) are the poses of the board's link M in the camera's link L, and `candidates` the poses
    `X_CB` that each view allows. Raises ConfigError for motions that leave the mounting open.

    Park and Martin 1994, with the translation by least squares; where a flat board may lie in two ways,
    the one that agrees with the others is taken.
    """
    check_motions(X_LM)
    chosen = [options[0] for options in candidates]
    for _ in range(3):
        X_LC = _solve(X_LM, np.array(chosen))
        X_MB = _mean_pose(inverse(X_LM) @ X_LC @ np.array(chosen))
        expected = inverse(X_LC) @ X_LM @ X_MB
        chosen = [
            min(options, key=lambda X, E=E: difference(E, X)[1])  # type: ignore[misc]
            for options, E in zip(candidates, expected, strict=True)
        ]
    return X_LC, X_MB


def check_motions(X_LM: FloatArray) -> None:
    """Raise ConfigError where the link poses (k, 4, 4) do not turn about two axes that differ enough."""
    turns = np.array([rotation_vector(A[:3, :3]) for A, _ in _pairs(X_LM, X_LM)])
    sizes = np.linalg.svd(turns, compute_uv=False) / np.sqrt(len(turns)) if len(turns) else np.zeros(3)
    if sizes[0] < TURN:
        raise ConfigError(
            f"The poses turn by {np.degrees(sizes[0]):.0f} degrees only (rms; {np.degrees(TURN):.0f} "
            "about two axes are needed): move the wrist more from pose to pose."
        )
    if sizes[1] < TURN:
        raise ConfigError(
            f"The poses turn almost only about one axis ({np.degrees(sizes[0]):.0f} degrees, across it "
            f"{np.degrees(sizes[1]):.0f}; at least {np.degrees(TURN):.0f} are needed): where the camera is "
            "along that axis stays open. Turn a second joint that is not parallel to the first, too."
        )


def _pairs(X_LM: FloatArray, X_CB: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Return the motions (A, B) of every two views, but those of nearly half a turn."""
    motions = [
        (X_LM[j] @ inverse(X_LM[i]), X_CB[j] @ inverse(X_CB[i])) for i, j in combinations(range(len(X_LM)), 2)
    ]
    return [(A, B) for A, B in motions if np.linalg.norm(rotation_vector(A[:3, :3])) < NEAR_HALF]


def _solve(X_LM: FloatArray, X_CB: FloatArray) -> FloatArray:
    """Return X of AX = XB: the rotation that turns B's axes into A's, then the translation."""
    pairs = _pairs(X_LM, X_CB)
    a = np.array([rotation_vector(A[:3, :3]) for A, _ in pairs])
    b = np.array([rotation_vector(B[:3, :3]) for _, B in pairs])
    R = nearest_rotation(a.T @ b)
    left = np.concatenate([A[:3, :3] - np.eye(3) for A, _ in pairs])
    right = np.concatenate([R @ B[:3, 3] - A[:3, 3] for A, B in pairs])
    return transform(np.linalg.lstsq(left, right, rcond=None)[0], R)


def _mean_pose(X: FloatArray) -> FloatArray:
    """Return the mean of poses (k, 4, 4) that lie near each other."""
    return transform(np.median(X[:, :3, 3], axis=0), nearest_rotation(X[:, :3, :3].mean(axis=0)))
