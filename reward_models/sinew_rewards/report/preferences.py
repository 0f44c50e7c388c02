"""How well a reward predicts comparisons of held-out clips, and what its probabilities are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Comparison
from sinew_data.rewards_beside import Estimates

from sinew_rewards.classifier.calibration import (
    Bin,
    calibrate,
    expected_calibration_error,
    reliability,
    sigmoid,
)
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.ranks import rank_correlation

FEW = 10  # comparisons, below which nothing is calibrated


@dataclass(frozen=True, slots=True)
class Predicted:
    """A comparison and what a reward says of it."""

    comparison: Comparison
    logit: float  # of the probability that the first clip is preferred
    spread: float  # standard deviation of that logit, NaN where the reward says nothing of it

    @property
    def probability(self) -> float:
        """How probable the reward thinks it that the first clip is preferred."""
        return float(sigmoid(np.array(self.logit)))

    @property
    def right(self) -> bool:
        """Whether the clip that is preferred is the better-paid one; a tie of the reward is not."""
        return (self.logit > 0) == (self.comparison.preferred > 0.5) and self.logit != 0


def predict(
    comparisons: Sequence[Comparison], episodes: Episodes, said: Mapping[str, Estimates]
) -> list[Predicted]:
    """Return what the estimates of episodes say of comparisons, by Bradley-Terry on partial returns.

    Christiano et al. 2017, "Deep reinforcement learning from human preferences", eq. 1.
    """
    return [_predicted(comparison, episodes, said) for comparison in comparisons]


def _predicted(comparison: Comparison, episodes: Episodes, said: Mapping[str, Estimates]) -> Predicted:
    sums, variances = [], []
    for clip in (comparison.first, comparison.second):
        rows, estimates = episodes.rows(clip), said[clip.episode]
        sums.append(float(np.sum(estimates.value[rows])))
        variances.append(float(np.sum(np.square(estimates.uncertainty[rows]))))
    return Predicted(comparison, sums[0] - sums[1], float(np.sqrt(sum(variances))))


def preference_figures(predicted: Sequence[Predicted]) -> dict[str, float]:
    """Return accuracy on those that are no ties, likelihood, calibration, and spread against error."""
    decided = [p for p in predicted if not p.comparison.tied]
    if not decided:
        return {}
    right = np.array([p.right for p in decided])
    logits, preferred = both_ways(predicted)
    likelihood = -np.mean(np.logaddexp(0.0, logits) - preferred * logits)
    figures = {
        "comparisons": float(len(decided)),
        "comparison_accuracy": float(right.mean()),
        "comparison_likelihood": float(likelihood),
        "preference_calibration_error": expected_calibration_error(sigmoid(logits), preferred),
    }
    if len(decided) >= FEW:
        scaled = rescaled(predicted)
        figures["preference_calibration_error_scaled"] = expected_calibration_error(scaled, preferred)
        spread = np.array([p.spread for p in decided])
        if np.isfinite(spread).all() and not right.all():
            figures["spread_comparison_error"] = rank_correlation(spread, ~right)
    return figures


def both_ways(predicted: Sequence[Predicted]) -> tuple[FloatArray, FloatArray]:
    """Return logits and preferences (2 n,), each comparison asked both ways, so that no order is favoured."""
    logits = np.array([p.logit for p in predicted])
    preferred = np.array([p.comparison.preferred for p in predicted])
    return np.concatenate([logits, -logits]), np.concatenate([preferred, 1 - preferred])


def rescaled(predicted: Sequence[Predicted]) -> FloatArray:
    """Return probabilities (2 n,) at the best temperature, fitted on the other half of the comparisons.

    What bounds or normalises a reward takes its values off the scale of log-odds; this is what its order
    of sizes is worth nevertheless.
    """
    logits, preferred = both_ways(predicted)
    halves = np.arange(len(logits)) % len(predicted) % 2 == 0
    out = np.empty(len(logits))
    for half in (halves, ~halves):
        out[half] = calibrate(logits[~half], preferred[~half]).probabilities(logits[half])
    return out


def preference_bins(predicted: Sequence[Predicted]) -> list[Bin]:
    """Return the reliability diagram of the probabilities."""
    logits, preferred = both_ways(predicted)
    return reliability(sigmoid(logits), preferred)
