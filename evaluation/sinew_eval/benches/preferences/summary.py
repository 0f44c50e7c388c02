"""Medians over seeds, and which of the bench's claims they do not bear out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SLOWEST = 20.0  # s that 1,000 comparisons may take
FASTER = 3.0  # times, than the peer
SUCCESS = 0.9  # of the true reward's


def medians(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the medians of numbers, however deep they lie in mappings of one shape."""
    found: dict[str, Any] = {}
    for name, value in seeds[0].items():
        values = [each[name] for each in seeds]
        found[name] = medians(values) if isinstance(value, Mapping) else round(float(np.median(values)), 4)
    return found


def failures(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each claim that does not hold, of those that were measured."""
    return [*_learners(figures), *_beside_peer(figures), *_models(figures)]


def _learners(figures: Mapping[str, Any]) -> list[str]:
    failed = []
    for name, learner in figures.get("learners", {}).items():
        if learner["fit_s"] > SLOWEST:
            failed.append(f"{name}: took {learner['fit_s']:.1f} s to fit (at most {SLOWEST:g})")
        ratio = learner["success_ratio_to_true"]
        if ratio is not None and ratio < SUCCESS:
            failed.append(f"{name}: {ratio:.2f} of the true reward's success (at least {SUCCESS:g})")
    return failed


def _beside_peer(figures: Mapping[str, Any]) -> list[str]:
    if figures.get("peer_accuracy") is None:
        return []
    failed = []
    if figures["accuracy_on_budget"] < figures["peer_accuracy"]:
        failed.append(
            f"accuracy {figures['accuracy_on_budget']} is below the peer's {figures['peer_accuracy']}"
        )
    if figures["times_faster"] < FASTER:
        failed.append(f"only {figures['times_faster']:.1f} times faster than the peer (at least {FASTER:g})")
    return failed


def _models(figures: Mapping[str, Any]) -> list[str]:
    failed = []
    regret, noise, factors = (figures.get(name) for name in ("regret_world", "noise", "factors"))
    if regret and regret["log_likelihood_regret"] <= regret["log_likelihood_partial_return"]:
        failed.append("regret explains preferences that come from regret no better than partial return does")
    if factors and max(factors["labels_changed"], factors["order_changed"]) > 0.01:
        failed.append("rescaling a factor tenfold changes more than 1 % of what a ranking of factors orders")
    if noise and noise["ensemble"]["accuracy_heldout"] < noise["single_head"]["accuracy_heldout"]:
        failed.append("with wrong answers the ensemble orders worse than a single head")
    return failed
