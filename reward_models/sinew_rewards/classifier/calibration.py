"""From logits to probabilities that mean what they say, and to a threshold; and how far off they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray

ITERATIONS = 50
BINS = 10
SURE = (0.01, 0.99)  # a threshold outside is one that data of any size cannot tell from 0 or 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = sigmoid((logit + shift) / temperature)."""

    temperature: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Check that it keeps the order of logits."""
        if not self.temperature > 0:
            raise ValueError(f"temperature: expected more than 0, got {self.temperature}.")

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Return probabilities of logits."""
        return sigmoid((logits + self.shift) / self.temperature)


@dataclass(frozen=True, slots=True)
class Bin:
    """Frames whose probability lies between two bounds."""

    low: float
    high: float
    count: int
    said: float  # mean probability
    true: float  # share of success


def sigmoid(x: FloatArray) -> FloatArray:
    """Return the logistic function."""
    out: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(x, -500, 500)))
    return out


def calibrate(logits: FloatArray, labels: FloatArray) -> Calibration:
    """Return the calibration of logits (n,) by their labels (n,) of 0 and 1.

    Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks") with a shift, because
    training sees both classes equally often and the world does not; that is Platt scaling (Platt 1999),
    and its smoothed targets keep the temperature finite where the classes are separable. A fit that would
    turn the order of the logits round leaves them as they are.
    """
    n1, n0 = float(labels.sum()), float((1 - labels).sum())
    targets = np.where(labels > 0.5, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    slope, bias = _fit(logits, targets)
    if slope <= 1e-6:
        return Calibration()
    return Calibration(1.0 / slope, bias / slope)


def _fit(logits: FloatArray, targets: FloatArray) -> tuple[float, float]:
    """Minimise the cross entropy of sigmoid(slope * logit + bias) by Newton's method with halved steps."""
    x = np.stack([logits, np.ones_like(logits)], 1)
    at = np.array([1.0, 0.0])
    loss = _cross_entropy(x @ at, targets)
    for _ in range(ITERATIONS):
        p = sigmoid(x @ at)
        gradient = x.T @ (p - targets) / len(x)
        curvature = (x * (p * (1 - p))[:, None]).T @ x / len(x) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-6 and _cross_entropy(x @ (at - size * step), targets) > loss:
            size /= 2
        after = _cross_entropy(x @ (at - size * step), targets)
        if size <= 1e-6 or loss - after < 1e-12:
            break
        at, loss = at - size * step, after
    return float(at[0]), float(at[1])


def _cross_entropy(z: FloatArray, targets: FloatArray) -> float:
    return float(np.mean(np.logaddexp(0.0, z) - targets * z))


def choose_threshold(probabilities: FloatArray, labels: FloatArray, precision: float) -> float:
    """Return the lowest threshold of at least one half whose precision is at least so much.

    It lies in the middle between two probabilities that occur, so that neither is decided by rounding.
    Where no threshold is precise enough, it is the one with the greatest precision.
    """
    levels = np.unique(np.concatenate([[0.0], probabilities, [1.0]]))
    middles = (levels[:-1] + levels[1:]) / 2
    candidates = np.unique(np.concatenate([[0.5], middles[middles > 0.5]]))
    count, right = (_reaching(p, candidates) for p in (probabilities, probabilities[labels > 0.5]))
    reached = np.divide(right, count, out=np.zeros(len(count)), where=count > 0)
    enough = np.flatnonzero(reached >= precision)
    best = int(enough[0]) if len(enough) else int(np.argmax(reached))
    return float(np.clip(candidates[best], *SURE))


def _reaching(probabilities: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Return how many probabilities reach each threshold."""
    below = np.searchsorted(np.sort(probabilities), thresholds, side="left")
    return np.asarray(len(probabilities) - below, np.float64)


def reliability(probabilities: FloatArray, labels: FloatArray, bins: int = BINS) -> list[Bin]:
    """Return bins of equal width with what was said and what was true in each; empty ones are left out."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, probabilities, side="right") - 1, 0, bins - 1)
    return [
        Bin(
            float(edges[i]),
            float(edges[i + 1]),
            int(inside.sum()),
            float(probabilities[inside].mean()),
            float(labels[inside].mean()),
        )
        for i in range(bins)
        if (inside := place == i).any()
    ]


def expected_calibration_error(probabilities: FloatArray, labels: FloatArray, bins: int = BINS) -> float:
    """Return the mean distance between what is said and what is true, weighted by the frames of each bin.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", for the positive
    class.
    """
    found = reliability(probabilities, labels, bins)
    return sum(item.count * abs(item.said - item.true) for item in found) / len(probabilities)
