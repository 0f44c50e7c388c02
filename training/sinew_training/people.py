"""Who may take over in a training."""

from __future__ import annotations

from sinew_core.models import make_reward

from sinew_training.config import TrainConfig
from sinew_training.rollouts import Rollouts
from sinew_training.scripted_human import ScriptedHuman

PROGRESS = "affordance_path"  # what the scripted person watches


def make_person(config: TrainConfig, rollouts: Rollouts, left: int) -> ScriptedHuman | None:
    """Return the scripted person with `left` control periods to spend, or None where nobody takes over."""
    if config.interventions == 0:
        return None
    progress = make_reward(PROGRESS, rollouts.hardware, config.task)
    return ScriptedHuman(config.human, rollouts.hardware, config.task, progress, left)
