"""How late a camera is against the joints, from one joint's sweep and what moved in the pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS, FloatArray

from sinew_hardware.calibration.sweep import lost_motion, smoothed

StampArray = npt.NDArray[np.int64]  # (k,) ns
SEARCH = (-0.1, 0.5)  # s
COARSE = 0.005  # s
FRAMES = 60  # at least
TRAVEL = 0.03  # rad or m, rms: a joint that moves less was not swept
CORRELATION = 0.9
UNCERTAIN = 0.003  # s
AMBIGUOUS = 4.0  # times the least misfit: another latency must fit worse than that
APART = 0.1  # s
PLAY = 0.02  # of the sweep's range; as much more or less as there is of it is fitted


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """How late a camera is; what a picture shows happened at its stamp minus `latency`.

    Where camera and joints are stamped by different clocks, the offset of these is in it: the two
    cannot be told apart, and need not be.
    """

    latency: float  # s
    std: float  # s, standard error
    correlation: float  # multiple correlation of the seen motion with the joint's, 0 to 1
    lags: FloatArray  # (k,) s that were tried
    correlations: FloatArray  # (k,)


@dataclass(frozen=True, slots=True)
class _Sweep:
    """A sweep in seconds since its start."""

    times: FloatArray  # (k,)
    joint: FloatArray  # (k,) without its noise, about 0, over a range of 1
    lost: FloatArray  # (k,) what play would take from it
    frame_times: FloatArray  # (m,)
    motion: FloatArray  # (m, d), of mean 0, the larger column of variance 1


def estimate_latency(
    joint_stamps: StampArray, joint: FloatArray, frame_stamps: StampArray, motion: FloatArray
) -> LatencyResult:
    """Return how much later than joints (k,) the frames are stamped that show a motion (m, d).

    `motion` may be anything that a joint position decides, such as a marker's pixel or the picture's
    flow; it is compared with a polynomial of the joint's position, so neither scale nor curvature
    matters, and a part that depends on the direction is taken for play. Raises ConfigError, with what
    to do, where the two do not tell the latency to 3 ms.
    """
    sweep = _prepared(joint_stamps, joint, frame_stamps, motion)
    lags = np.arange(SEARCH[0], SEARCH[1] + COARSE / 2, COARSE)
    misfits = np.array([_misfit(sweep, lag) for lag in lags])
    best = int(np.argmin(misfits))
    correlations = np.sqrt(np.clip(1 - misfits, 0, 1))
    _check_peak(lags, misfits, best)
    latency = _refined(sweep, float(lags[best]))
    std = _uncertainty(sweep, latency)
    if std > UNCERTAIN:
        raise ConfigError(
            f"The latency is uncertain by {1000 * std:.1f} ms (at most {1000 * UNCERTAIN:.0f}): sweep "
            "longer, faster or farther, and have the marker larger in the picture."
        )
    correlation = float(np.sqrt(max(1 - _misfit(sweep, latency), 0.0)))
    return LatencyResult(latency, std, correlation, lags, correlations)


def _prepared(
    joint_stamps: StampArray, joint: FloatArray, frame_stamps: StampArray, motion: FloatArray
) -> _Sweep:
    start = int(joint_stamps[0]) if len(joint_stamps) else 0
    joint_times, frame_times = ((stamps - start) / NANOSECONDS for stamps in (joint_stamps, frame_stamps))
    if len(joint_times) < FRAMES or np.any(np.diff(joint_times) <= 0):
        raise ConfigError(f"Expected at least {FRAMES} joint readings in order, got {len(joint_times)}.")
    if np.std(joint) < TRAVEL:
        raise ConfigError(
            f"The joint hardly moved ({np.std(joint):.3f} rad rms): sweep it by 0.2 rad or more."
        )
    # Only frames that have a joint position at every lag that is tried: all lags are judged alike.
    inside = (frame_times - SEARCH[1] >= joint_times[0]) & (frame_times - SEARCH[0] <= joint_times[-1])
    if inside.sum() < FRAMES:
        raise ConfigError(
            f"{inside.sum()} frames with the motion in them lie within the joint's sweep, at least {FRAMES} "
            "are needed: record longer, and keep the marker in the picture."
        )
    seen = motion[inside] - motion[inside].mean(axis=0)
    spread = seen.std(axis=0)
    if not np.all(np.isfinite(spread)) or spread.max() < 1e-9:
        raise ConfigError("Nothing moved in the picture: is it the camera that sees this joint's motion?")
    times, q = smoothed(joint_times, (joint - joint.mean()) / np.ptp(joint))
    return _Sweep(times, q, lost_motion(q, PLAY), frame_times[inside], seen / spread.max())


def _regressors(sweep: _Sweep, lag: float) -> FloatArray:
    """Return what the joint says of each frame (m, 5): powers of its position, and what play would add."""
    times = sweep.frame_times - lag
    q, lost = (np.interp(times, sweep.times, signal) for signal in (sweep.joint, sweep.lost))
    return np.column_stack([np.ones(len(q)), q, q**2, q**3, lost])


def _residual(sweep: _Sweep, lag: float) -> FloatArray:
    """Return what of the motion (m, d) the joint does not explain at a lag."""
    A = _regressors(sweep, lag)
    return sweep.motion - A @ np.linalg.lstsq(A, sweep.motion, rcond=None)[0]


def _misfit(sweep: _Sweep, lag: float) -> float:
    """Return the unexplained share of the motion, 0 to 1."""
    return float((_residual(sweep, lag) ** 2).sum() / (sweep.motion**2).sum())


def _check_peak(lags: FloatArray, misfits: FloatArray, best: int) -> None:
    correlation = float(np.sqrt(max(1 - misfits[best], 0.0)))
    if correlation < CORRELATION:
        raise ConfigError(
            f"What moves in the picture follows the joint badly (correlation {correlation:.2f}, at least "
            f"{CORRELATION} is needed): move this joint alone, and nothing else in sight of the camera."
        )
    if best in (0, len(lags) - 1):
        raise ConfigError(
            f"The latency seems to lie beyond {SEARCH[0]} to {SEARCH[1]} s: are both stamped by one clock?"
        )
    others = [
        i
        for i in range(1, len(lags) - 1)
        if misfits[i] <= min(misfits[i - 1], misfits[i + 1]) and abs(lags[i] - lags[best]) > APART
    ]
    rival = min(others, key=lambda i: float(misfits[i]), default=best)
    if rival != best and misfits[rival] < AMBIGUOUS * misfits[best]:
        raise ConfigError(
            f"{lags[best]:.2f} s and {lags[rival]:.2f} s of latency explain the motion about as well: sweep "
            "at a changing pace (`chirp`), not evenly."
        )


def _refined(sweep: _Sweep, lag: float) -> float:
    """Return the lag of the least misfit between the tried ones, by parabolas that narrow down."""
    for step in (COARSE, COARSE / 5, COARSE / 25):
        before, at, after = (_misfit(sweep, lag + d) for d in (-step, 0.0, step))
        curvature = before - 2 * at + after
        shift = 0.5 * (before - after) / curvature if curvature > 0 else 0.0
        lag += step * float(np.clip(shift, -1.0, 1.0))
    return lag


def _uncertainty(sweep: _Sweep, lag: float) -> float:
    """Return the standard error of a lag, from what is left unexplained and how steeply it depends."""
    residual = _residual(sweep, lag)
    h = COARSE / 5
    A = _regressors(sweep, lag)
    moved = (_regressors(sweep, lag + h) - _regressors(sweep, lag - h)) / (2 * h)
    slope = moved @ np.linalg.lstsq(A, sweep.motion, rcond=None)[0]  # (m, d) per s
    slope -= A @ np.linalg.lstsq(A, slope, rcond=None)[0]
    weight = float((slope**2).sum())
    push = (residual * slope).sum(axis=1)  # (m,) of each frame on the lag; its two columns err together
    together = float((push[1:] * push[:-1]).sum() / (push**2).sum())
    rho = float(np.clip(together, 0.0, 0.95))  # errors that last make the frames fewer than they seem
    return float(np.sqrt((push**2).sum() * (1 + rho) / (1 - rho)) / weight)
