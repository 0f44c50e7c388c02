"""How a policy was made, for the JSON beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinew_core.config import to_mapping
from sinew_data.episode import versions

from sinew_training.config import TrainConfig


def provenance_of(
    config: TrainConfig, steps: int, episodes: int, updates: int, validation: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the training's configuration, how far it was, what was measured, and the versions."""
    return {
        "training": to_mapping(config),
        "steps": steps,
        "episodes": episodes,
        "updates": updates,
        "validation": dict(validation),
        "versions": versions(),
    }
