"""How far policies that were trained on learned rewards got, of those that had the true one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError

SHAPE = '{"true": [0.9, ...], "learned": {"bradley_terry": [0.85, ...], ...}}, success rates of each seed'


def success_ratios(path: Path | None) -> dict[str, float]:
    """Return of each learner in a file the ratio of median success rates, to that of the true reward.

    The file is JSON: {"true": [rates], "learned": {learner: [rates]}}, as trainings gave them. Without
    one nothing is known. Raises ConfigError for a file that cannot be read or says something else.
    """
    if path is None:
        return {}
    try:
        data = json.loads(path.read_text())
        true = _median(data["true"])
        learned = {str(name): _median(rates) for name, rates in data["learned"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"--policies {path}: expected {SHAPE}: {error!r}.") from error
    if true <= 0:
        raise ConfigError(f"--policies {path}: the true reward gave no success, so there is no ratio to it.")
    return {name: rate / true for name, rate in learned.items()}


def _median(rates: Any) -> float:
    values = np.asarray(rates, np.float64)
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"expected a list of rates from 0 to 1, got {rates}")
    return float(np.median(values))
