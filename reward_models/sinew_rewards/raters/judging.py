"""What a clip is worth to a scripted rater: sums of truth, of a taste's features or of advantages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip

from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.raters.rater_config import RaterConfig

Advantage = Callable[[Trajectory], FloatArray]  # (T,) sum of reward minus what was possible, per step


class Judge:
    """Sums what counts over a clip, near its end more where the rater is short-sighted."""

    def __init__(self, config: RaterConfig, names: Sequence[str], advantage: Advantage | None) -> None:
        if config.basis == "regret" and advantage is None:
            raise ConfigError(
                "rater: basis 'regret' needs an `advantage`: each step's reward minus the best."
            )
        for name in config.taste:
            if name not in names:
                raise ConfigError(f"rater: its taste names the feature '{name}'.{did_you_mean(name, names)}")
        self._config = config
        self._advantage = advantage if config.basis == "regret" else None
        self._columns = [tuple(names).index(name) for name in config.taste]
        self._weights = np.array(list(config.taste.values()), np.float64)

    def parts(self, episodes: Episodes, clip: Clip) -> FloatArray:
        """Return the sums (k,) of what counts in a clip; their sum is what it is worth."""
        steps = self._steps(episodes.of(clip))[episodes.rows(clip)]
        before_end = np.arange(len(steps))[::-1]
        seen: FloatArray = (1.0 - self._config.myopia) ** before_end @ steps
        return seen

    def worth(self, episodes: Episodes, clip: Clip) -> float:
        """Return what a clip is worth."""
        return float(self.parts(episodes, clip).sum())

    def worth_per_step(self, episodes: Episodes, clip: Clip) -> float:
        """Return what a step of a clip is worth on average, so that clips of any length compare."""
        rows = episodes.rows(clip)
        weights = (1.0 - self._config.myopia) ** np.arange(rows.stop - rows.start)
        return self.worth(episodes, clip) / float(weights.sum())

    def _steps(self, trajectory: Trajectory) -> FloatArray:
        """Return what counts (T, k) in each step; ConfigError where it is not known."""
        if self._config.taste:
            found: FloatArray = trajectory.features[:, self._columns].astype(np.float64) * self._weights
            return found
        known = trajectory.truth if self._advantage is None else self._advantage(trajectory)
        if known is None:
            raise ConfigError(f"episode '{trajectory.name}' has no true reward; give the rater a taste.")
        if known.shape != trajectory.stamps.shape:
            raise ConfigError(
                f"episode '{trajectory.name}': expected a value for each of its {len(trajectory.stamps)} "
                f"steps, got shape {known.shape}."
            )
        return np.asarray(known, np.float64)[:, None]
