"""An episode as learners of rewards see it: rows of named features with their stamps, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import FloatArray, ImageArray
from sinew_data.feedback.types import Clip

Features = npt.NDArray[np.float32]  # (T, d)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """An episode of T control periods with d features.

    What is not known is None. `truth` is the reward that a simulator or an experiment holds to be right,
    and `progress` its share of the way done; learners never look at either.
    """

    name: str  # of the episode, as clips name it
    stamps: npt.NDArray[np.int64]  # (T,) ns, rising
    features: Features  # (T, d)
    success: bool | None = None  # whether it ended with the task done
    truth: FloatArray | None = None  # (T,)
    progress: FloatArray | None = None  # (T,) 0 to 1
    stages: npt.NDArray[np.int64] | None = None  # (T,) which part of the task it is, rising
    pictures: ImageArray | None = field(default=None, repr=False)  # (T, size, size, 3) of one camera
    tree: str = ""  # episodes that branched from one another have the same; they are split together

    def __post_init__(self) -> None:
        """Check that all rows are there and mean something."""
        rows = len(self.stamps)
        if rows == 0 or self.features.ndim != 2 or len(self.features) != rows:
            raise ValueError(
                f"trajectory {self.name}: expected features ({rows}, d) for {rows} stamps, at least one, "
                f"got {self.features.shape}."
            )
        if not np.isfinite(self.features).all():
            row, column = np.argwhere(~np.isfinite(self.features))[0]
            raise ValueError(f"trajectory {self.name}: feature {column} of row {row} is not finite.")
        for what in ("truth", "progress", "stages", "pictures"):
            values = getattr(self, what)
            if values is not None and len(values) != rows:
                raise ValueError(f"trajectory {self.name}: {len(values)} rows of {what} for {rows} stamps.")

    @property
    def family(self) -> str:
        """What must not be split between training and test."""
        return self.tree or self.name


class Episodes:
    """Trajectories by name, with the rows that clips mean."""

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        self.trajectories = tuple(trajectories)
        self._by_name = {item.name: item for item in trajectories}
        if len(self._by_name) < len(self.trajectories):
            raise ConfigError("two episodes have the same name; feedback could mean either.")

    def __contains__(self, clip: object) -> bool:
        """Tell whether a clip's episode is here."""
        return isinstance(clip, Clip) and clip.episode in self._by_name

    def of(self, clip: Clip) -> Trajectory:
        """Return a clip's episode; ConfigError where it is not here."""
        if clip.episode not in self._by_name:
            raise ConfigError(
                f"feedback is about episode '{clip.episode}', which is not among the {len(self._by_name)} "
                f"given.{did_you_mean(clip.episode, self._by_name)}"
            )
        return self._by_name[clip.episode]

    def rows(self, clip: Clip) -> slice:
        """Return a clip's rows, at least one; ConfigError where it has none."""
        stamps = self.of(clip).stamps
        begin = int(np.searchsorted(stamps, clip.start, "left"))
        end = len(stamps) if clip.end is None else int(np.searchsorted(stamps, clip.end, "right"))
        if begin >= end:
            raise ConfigError(
                f"clip {clip.start} to {clip.end} ns of episode '{clip.episode}' has no control period: "
                f"the episode goes from {stamps[0]} to {stamps[-1]}."
            )
        return slice(begin, end)

    def features(self, clip: Clip) -> Features:
        """Return the features (rows, d) of a clip."""
        return self.of(clip).features[self.rows(clip)]
