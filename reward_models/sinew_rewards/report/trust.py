"""Whether a reward knows what it does not know: ensemble spread against error, coverage of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_rewards.classifier.calibration import Bin, expected_calibration_error, reliability
from sinew_rewards.learned.saved import Spread
from sinew_rewards.report.ranks import rank_correlation
from sinew_rewards.report.standing import By, Case

INSIDE = 0.99  # share of a row's features in the training range, from which on it counts as covered
SLACK = 0.01  # of a feature's range, beyond which it is outside


def spread_figures(cases: Sequence[Case], by: By) -> dict[str, float]:
    """Return how the ensemble's spread goes with the error, where spread and truth are known.

    The error is what is left of the value after the best straight line on the truth, or on the progress.
    `spread_z` is the error's size in standard deviations as the ensemble states them: 1 is right, more is
    overconfident.
    """
    rows = [_rows(case, by) for case in cases]
    known = [row for row in rows if row is not None]
    if not known:
        return {}
    said, true, spread = (np.concatenate([row[i] for row in known]) for i in range(3))
    if np.ptp(true) == 0 or not np.any(spread > 0):
        return {}
    error = np.abs(said - np.polyval(np.polyfit(true, said, 1), true))
    figures = {"spread_error_correlation": rank_correlation(spread, error)}
    z = error[spread > 0] / spread[spread > 0]
    return figures | {"spread_z": float(np.sqrt(np.mean(np.square(z)))), "spread": float(spread.mean())}


def _rows(case: Case, by: By) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return value, truth and spread (T,) of an episode, None where one is not known."""
    t, spread = case.trajectory, case.estimates.uncertainty
    true = t.truth if t.truth is not None and by != "progress" else t.progress
    if true is None or not np.isfinite(spread).all():
        return None
    return case.estimates.value, np.asarray(true, np.float64), spread


def outside(features: npt.NDArray[np.floating], spreads: Sequence[Spread]) -> npt.NDArray[np.bool_]:
    """Return which features (T, d) lie outside the range that they had in training."""
    low, high = (np.array([getattr(s, side) for s in spreads]) for side in ("lowest", "highest"))
    slack = SLACK * np.maximum(high - low, 1e-9)
    return np.asarray((features < low - slack) | (features > high + slack))


def covered(features: npt.NDArray[np.floating], spreads: Sequence[Spread]) -> npt.NDArray[np.bool_]:
    """Return which rows (T,) lie inside the training range, but for one feature in a hundred."""
    return np.asarray(1 - outside(features, spreads).mean(1) >= INSIDE)


def success_bins(cases: Sequence[Case]) -> list[Bin]:
    """Return the reliability diagram of success, as it is said of each episode's last row."""
    said, true = _endings(cases)
    return reliability(said, true) if len(said) else []


def success_figures(cases: Sequence[Case]) -> dict[str, float]:
    """Return the calibration error of success at episodes' ends, where it is said and known."""
    said, true = _endings(cases)
    return {"success_calibration_error": expected_calibration_error(said, true)} if len(said) else {}


def _endings(cases: Sequence[Case]) -> tuple[FloatArray, FloatArray]:
    known = [c for c in cases if c.trajectory.success is not None and np.isfinite(c.estimates.success[-1])]
    said = np.array([np.clip(case.estimates.success[-1], 0, 1) for case in known])
    return said, np.array([float(bool(case.trajectory.success)) for case in known])
