"""How a policy was made, for the JSON beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinew_core.config import to_mapping
from sinew_data.episode import versions

from sinew_training.config import TrainConfig


def provenance_of(
    config: TrainConfig, counters: Mapping[str, Any], score: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the training's configuration, how far it was, what was measured, and the versions."""
    done = {name: counters[name] for name in ("steps", "episodes", "updates")}
    return {"training": to_mapping(config), **done, "validation": dict(score), "versions": versions()}
