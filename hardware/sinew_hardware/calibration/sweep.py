"""A joint's sweep for measuring latency: how it is commanded, and what is made of its readings."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray

GRID = 0.002  # s
KERNEL = 0.02  # s, standard deviation of the readings' weights; at least as wide as they lie apart


def chirp(times: FloatArray, amplitude: float, low: float = 0.3, high: float = 1.2) -> FloatArray:
    """Return offsets (k,) of a joint at times (k,) in s: back and forth, ever faster, from and to rest.

    Frequencies in Hz. The changing pace is what makes the latency unmistakable: an even back and forth
    looks the same half a period later, and a lag at one pace looks like play. The greatest speed is
    about 2 pi `high` times the amplitude.
    """
    seconds = times - times[0]
    total = float(seconds[-1])
    phase = 2 * np.pi * (low * seconds + (high - low) * seconds**2 / (2 * total))
    ramp = np.clip(np.minimum(seconds, total - seconds) / (0.1 * total), 0.0, 1.0)
    offsets: FloatArray = amplitude * np.sin(phase) * ramp * ramp * (3 - 2 * ramp)
    return offsets


def smoothed(times: FloatArray, readings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a joint's readings (k,) at times (k,) in s without their noise, on a fine even grid.

    A parabola through the readings about each instant: it delays nothing, where noise in a joint that
    is merely interpolated would shift the latency.
    """
    width = max(KERNEL, float(np.median(np.diff(times))))
    grid = np.arange(times[0], times[-1], GRID)
    found = []
    for part in np.array_split(grid, max(len(grid) // 1000, 1)):  # so that the weights stay small
        apart = (times - part[:, None]) / width  # (g, k)
        weights = np.exp(-0.5 * apart**2)
        powers = np.stack([np.ones_like(apart), apart, apart**2], axis=1)  # (g, 3, k)
        weighted = powers * weights[:, None]
        left = weighted @ np.swapaxes(powers, 1, 2) + 1e-9 * np.eye(3)
        found.append(np.linalg.solve(left, weighted @ readings[:, None])[:, 0, 0])
    return grid, np.concatenate(found)


def lost_motion(q: FloatArray, play: float) -> FloatArray:
    """Return how far what a joint drives through `play` (half of it, either way) is off, at each q (k,)."""
    driven = np.empty_like(q)
    at = float(q[0])
    for i, value in enumerate(q.tolist()):
        at = min(max(at, value - play), value + play)
        driven[i] = at
    return driven - q
