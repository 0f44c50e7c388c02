"""Two rewards on the same episodes: do they order policies, and these episodes, alike?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

from sinew_rewards.comparing.sampled import trajectory_distance
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.ordering import DISCOUNT, padded_return
from sinew_rewards.report.ranks import rank_correlation


@dataclass(frozen=True, slots=True)
class Compared:
    """How far two rewards are from one another."""

    first: str
    second: str
    starc_distance: float  # 0 to 1
    return_correlation: float  # rank correlation over episodes
    episodes: int

    def facts(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def compared(
    first: str,
    second: str,
    values: Mapping[str, FloatArray],
    others: Mapping[str, FloatArray],
    trajectories: Sequence[Trajectory],
) -> Compared:
    """Compare two rewards by their values (T,) of each episode; ConfigError where none has both."""
    both = [t for t in trajectories if t.name in values and t.name in others and len(t.stamps) > 1]
    if not both:
        raise ConfigError(f"{first} and {second}: there is no episode that both say something of.")
    distance = starc(values, others, both)
    longest = max(len(t.stamps) for t in both)
    returns = [[padded_return(side[t.name], longest) for t in both] for side in (values, others)]
    return Compared(first, second, distance, rank_correlation(*returns), len(both))


def starc(
    values: Mapping[str, FloatArray], others: Mapping[str, FloatArray], trajectories: Sequence[Trajectory]
) -> float:
    """Return the STARC distance of two rewards by their values (T,) of these episodes, 0 to 1."""
    return trajectory_distance(
        [values[t.name] for t in trajectories],
        [others[t.name] for t in trajectories],
        [t.features.astype(np.float64) for t in trajectories],
        DISCOUNT,
        [t.success is True for t in trajectories],
    )
