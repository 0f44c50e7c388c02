"""Figures of a card as a person reads them."""

from __future__ import annotations

from sinew_eval.charts import MINUS

SHARES = (*("comparison_accuracy", "pair_accuracy", "success_first", "return_pair_accuracy", "coverage"),)
COUNTS = ("episodes", "successes", "failures", "comparisons", "lint_errors")


def shown(name: str, value: float) -> str:
    """Return a figure with its unit: shares in %, counts whole, times in ms."""
    if name in SHARES:
        return f"{percent(value)} %"
    if name in COUNTS:
        return f"{value:.0f}"
    if name.endswith("_ms"):
        return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def percent(share: float) -> str:
    """Return a share in %; neither all nor nothing by rounding."""
    value = 100 * share
    if 0 < value < 0.1:
        return "below 0.1"
    digits = 2 if 99.95 <= value < 100 else 1
    return f"{value:.{digits}f}".removesuffix(".0")


def signed(value: float, digits: int) -> str:
    """Return a number with its sign and so many digits behind the point."""
    return f"{value:+.{digits}f}".replace("-", MINUS)
