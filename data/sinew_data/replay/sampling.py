"""Drawing transitions and sequences: array operations over the batch, no loop over its members."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sinew_data.replay.batch import Batch, BoolArray, FloatColumn
from sinew_data.replay.gather import Copy
from sinew_data.replay.layout import (
    ACTION,
    ADDED,
    BEGIN,
    FLAGS,
    PERSON,
    REWARD,
    TERMINATED,
    AnyArray,
    IntArray,
    observation_field,
)
from sinew_data.replay.ring import Ring


def draw(ring: Ring, rng: np.random.Generator, size: int) -> IntArray:
    """Return rows (size,) that transitions start from, every transition as likely as any other."""
    before, last = ring.value(ADDED, ring.first), ring.value(ADDED, ring.rows - 1)
    return ring.find(rng.integers(before, last, size) + 1) - 1


def fill(ring: Ring, starts: IntArray, n_step: int, discount: float, batch: Batch) -> list[Copy]:
    """Fill a batch with the transitions from those rows, but for the observations: return their copies.

    Within n steps, an episode's end, or the newest row, ends the sum.
    """
    reward, steps = np.zeros(len(starts)), np.zeros(len(starts), np.int64)
    terminated, going = np.zeros(len(starts), np.bool_), np.ones(len(starts), np.bool_)
    for k in range(n_step):
        going, slots = _going_on(ring, starts + k + 1, going)
        reward += np.where(going, discount**k * ring.arrays[REWARD][slots], 0.0)
        terminated |= going & (ring.arrays[FLAGS][slots] & TERMINATED != 0)
        steps += going
    first = (starts + 1) % ring.slots
    batch.action[...] = ring.arrays[ACTION][first]
    batch.intervention[...] = ring.arrays[FLAGS][first] & PERSON != 0
    batch.reward[...] = reward
    batch.discount[...] = np.where(terminated, 0.0, discount ** steps.astype(np.float64))
    return [
        *observation_copies(ring, starts, batch.observation),
        *observation_copies(ring, starts + steps, batch.next_observation),
    ]


def follow(ring: Ring, starts: IntArray, horizon: int) -> tuple[FloatColumn, BoolArray]:
    """Return the actions (b, horizon, a) from those rows on, and which of them (b, horizon) there are."""
    offsets = np.arange(1, horizon + 1)
    going, _ = _going_on(ring, starts[:, None] + offsets, np.bool_(True))
    valid = np.logical_and.accumulate(going, axis=1)
    rows = starts[:, None] + np.minimum(offsets, valid.sum(axis=1)[:, None])
    return ring.arrays[ACTION][rows % ring.slots], valid


def observation_copies(ring: Ring, rows: IntArray, targets: Mapping[str, AnyArray]) -> list[Copy]:
    """Return what copies the observations of rows into `targets`."""
    slots = rows % ring.slots
    return [Copy(ring.arrays[observation_field(name)], slots, target) for name, target in targets.items()]


def _going_on(ring: Ring, rows: IntArray, going: BoolArray | np.bool_) -> tuple[BoolArray, IntArray]:
    """Return which rows were reached by an action, and slots: of the newest row for those not written yet."""
    slots = np.minimum(rows, ring.rows - 1) % ring.slots
    return going & (rows < ring.rows) & (ring.arrays[FLAGS][slots] & BEGIN == 0), slots
