"""What a reward model's answer must be, and what it needs to answer at all."""

from __future__ import annotations

import math

import numpy as np

from sinew_core.types import RewardEstimate

RANGES = {
    "value": (-math.inf, math.inf),
    "success": (0.0, 1.0),
    "progress": (0.0, 1.0),
    "uncertainty": (0.0, math.inf),
}


def needs_frames(*models: object) -> bool:
    """Tell whether any of these models looks at camera frames: it then says so by an attribute."""
    return any(bool(getattr(model, "needs_frames", False)) for model in models)


def answer_fault(answer: object, stamp: int) -> str:
    """Return what an answer is instead of a usable estimate of the observation of that stamp, or ''."""
    if not isinstance(answer, RewardEstimate):
        return f"{_shown(answer)}, expected a RewardEstimate"
    if answer.stamp != stamp:
        return f"the observation of stamp {answer.stamp}, expected that of {stamp}"
    for what, (low, high) in RANGES.items():
        found = getattr(answer, what)
        if found is None and what != "value":
            continue
        if not _is_finite(found) or not low <= found <= high:
            return f"the {what} {_shown(found)}, expected a finite number from {low:g} to {high:g}"
    for name, term in answer.terms.items():
        if not _is_finite(term):
            return f"the term '{name}' {_shown(term)}, expected a finite number"
    return ""


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return repr(value) if value is None or isinstance(value, (int, float, str)) else type(value).__name__
