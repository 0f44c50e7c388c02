"""An episode as it is watched, and what is kept of it: a record of some numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.learned.saved import Spread

STILL = 0.05  # of a number's range in the episode, that counts as no change
PAID = 0.5  # of the most that a term pays in the episode, above which it is paid
HIGH = 0.8  # of the range of values in the episode, above which a rest is paid


@dataclass(frozen=True, slots=True)
class Watched:
    """What a reward paid in an episode of T steps, and what is known of its worth."""

    values: FloatArray  # (T,)
    verdict: float | None = None  # 0 to 1, of a simulator, a judge or a person; None: not known
    truth: FloatArray | None = None  # (T,) the true reward, in simulation
    terms: Mapping[str, FloatArray] = field(default_factory=dict)  # (T,) each
    features: FloatArray | None = None  # (T, d) the reward's inputs

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        steps = len(self.values)
        parts = {**self.terms, "truth": self.truth, "features": self.features, "values": self.values}
        if steps == 0:
            raise ValueError("watched episode: expected at least one value, got none.")
        for name, part in parts.items():
            if part is not None and (len(part) != steps or not np.isfinite(part).all()):
                raise ValueError(f"watched episode: {name}: expected {steps} finite rows.")
        if self.verdict is not None and not 0 <= self.verdict <= 1:
            raise ValueError(f"watched episode: expected a verdict from 0 to 1, got {self.verdict}.")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of an episode; JSON values."""

    total: float  # the return
    steps: int
    verdict: float | None
    moments: tuple[float, ...]  # sums of 1, v, t, v v, t t, v t over steps with value v, truth t; or empty
    paid: Mapping[str, int]  # how often each term began to pay
    rest: float  # longest stretch without change at a high value, as a share of the steps
    means: tuple[float, ...]  # (d) of the inputs
    outside: tuple[float, ...]  # (d) shares of the rows outside the card's range


def record_of(episode: Watched, spreads: Sequence[Spread] = (), slack: float = 0.0) -> Record:
    """Return what is kept; inputs are held against the card's spreads (d), widened by their std * slack."""
    features = episode.features
    if features is not None and spreads and features.shape[1] != len(spreads):
        raise ValueError(
            f"watched episode: {features.shape[1]} features, and the card is about {len(spreads)}."
        )
    terms = {**episode.terms, "value": episode.values}
    return Record(
        total=float(episode.values.sum()),
        steps=len(episode.values),
        verdict=episode.verdict,
        moments=_moments(episode.values, episode.truth),
        paid={name: _payments(np.asarray(term, np.float64)) for name, term in terms.items()},
        rest=_paid_rest(episode),
        means=() if features is None else tuple(float(each) for each in features.mean(0)),
        outside=() if features is None else _outside(features, spreads, slack),
    )


def _moments(values: FloatArray, truth: FloatArray | None) -> tuple[float, ...]:
    if truth is None:
        return ()
    v, t = np.asarray(values, np.float64), np.asarray(truth, np.float64)
    return tuple(float(each) for each in (len(v), v.sum(), t.sum(), v @ v, t @ t, v @ t))


def _payments(term: FloatArray) -> int:
    """Return how often a term rises above half of its range above 0, or above its least value."""
    floor = max(float(term.min()), 0.0)
    most = float(term.max())
    if most - floor <= 1e-9 * max(1.0, abs(most)):
        return 0
    high = term > floor + PAID * (most - floor)
    return int((high[1:] & ~high[:-1]).sum() + high[0])


def _paid_rest(episode: Watched) -> float:
    """Return the longest rest at a high value, as a share of the episode."""
    values = np.asarray(episode.values, np.float64)
    looks = values[:, None] if episode.features is None else np.asarray(episode.features, np.float64)
    span, ranges = float(np.ptp(values)), np.ptp(looks, axis=0)
    if span <= 1e-9:
        return 0.0
    still = (np.abs(np.diff(looks, axis=0)) <= STILL * ranges).all(1)
    high = values[1:] >= values.min() + HIGH * span
    longest = run = 0
    for resting in still & high:
        run = run + 1 if resting else 0
        longest = max(longest, run)
    return longest / len(values)


def _outside(features: FloatArray, spreads: Sequence[Spread], slack: float) -> tuple[float, ...]:
    if not spreads:
        return ()
    low = np.array([each.lowest - slack * each.std for each in spreads])
    high = np.array([each.highest + slack * each.std for each in spreads])
    return tuple(float(each) for each in ((features < low) | (features > high)).mean(0))
