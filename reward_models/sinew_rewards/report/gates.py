"""What a reward must reach, from a YAML file: each figure of the card with `least`, `most` or both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError, did_you_mean

from sinew_rewards.report.card import GATES, Gate

# What a card may hold, and what it is. The page names them so, too.
FIGURES = {
    "episodes": "held-out episodes",
    "successes": "held-out episodes that succeeded",
    "failures": "held-out episodes that failed",
    "comparisons": "held-out comparisons that are no ties",
    "comparison_accuracy": "share of held-out comparisons that it predicts",
    "comparison_likelihood": "mean log-likelihood of held-out comparisons; a coin has -0.69",
    "preference_calibration_error": "expected calibration error of preference probabilities",
    "preference_calibration_error_scaled": "the same at the best temperature",
    "success_calibration_error": "expected calibration error of success at episodes' ends",
    "rank_correlation": "mean rank correlation with progress within an episode",
    "rank_correlation_worst": "the same, of the worst episode",
    "return_correlation": "rank correlation of its return with the true return over episodes",
    "pair_accuracy": "share of success-failure pairs in which the success ends higher",
    "success_first": "share of successes that end higher than every failure",
    "return_pair_accuracy": "share of success-failure pairs in which the success has the higher return",
    "starc_distance": "STARC distance to the reference, 0 to 1",
    "spread_error_correlation": "rank correlation of the ensemble's spread with the error",
    "spread_comparison_error": "rank correlation of the ensemble's spread with wrong comparisons",
    "spread_z": "size of errors in standard deviations as the ensemble states them",
    "spread": "mean standard deviation of values",
    "coverage": "share of held-out steps inside the range of the training",
    "latency_ms": "median time of an answer, ms",
    "latency_95_ms": "95th percentile of the time of an answer, ms",
    "lint_errors": "errors that the lint found",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a figure must keep to."""

    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        """Check that something is asked for, and can be met."""
        if self.least is None and self.most is None:
            raise ValueError("expected `least`, `most` or both.")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"nothing is at least {self.least:g} and at most {self.most:g}.")


def load_gates(path: Path | None) -> tuple[Gate, ...]:
    """Return the gates of a file, by default the usual ones; ConfigError for what is no figure of a card.

    The file lists all gates: what it leaves out is not asked for.
    """
    if path is None:
        return GATES
    data = load_yaml(path)
    if not data:
        raise ConfigError(f"{path}: asks for nothing, which every reward passes. Name at least one figure.")
    for name in data:
        if name not in FIGURES:
            raise ConfigError(f"{path}: there is no figure '{name}'.{did_you_mean(name, FIGURES)}")
    for name, entry in data.items():
        if not isinstance(entry, dict):
            raise ConfigError(f"{path}: {name}: expected a mapping of `least` and `most`, got {entry!r}.")
    bounds = {name: from_mapping(Bounds, entry, f"{path}: {name}") for name, entry in data.items()}
    return tuple(Gate(name, entry.least, entry.most) for name, entry in bounds.items())
