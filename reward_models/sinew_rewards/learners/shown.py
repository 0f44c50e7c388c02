"""Which parts of which episodes are demonstrations: what was marked as a success, or ended with one."""

from __future__ import annotations

from collections.abc import Sequence

from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Feedback

from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.outcomes import outcomes_of


def demonstrations(episodes: Episodes, feedback: Sequence[Feedback], learner: str) -> list[FloatArray]:
    """Return the features (T, d) of each demonstration.

    See `outcomes_of` for how marks count; ConfigError from there, or where there is no demonstration.
    """
    shown = [each.features for each in outcomes_of(episodes, feedback) if each.good]
    if not shown:
        raise ConfigError(
            f"{learner}: there is no demonstration among {len(episodes.trajectories)} episodes; mark one as "
            "a success."
        )
    return shown
