"""A camera shows the very same picture while the arm moves: what is judged happened in the past."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sinew_core.hardware import Hardware
from sinew_core.sight import visible_motion
from sinew_core.types import CameraFrame, Observation, RewardEstimate, Task
from sinew_core.watchdogs import FrozenCamera


@dataclass(frozen=True, slots=True)
class Config:
    """How far the arm may move before one and the same picture."""

    motion: float = 0.3  # rad or m that the joints move in all; 0 suits real cameras, which have noise

    def __post_init__(self) -> None:
        """Check the motion."""
        if self.motion < 0:
            raise ValueError(f"motion: expected at least 0, got {self.motion}.")


class Frozen:
    """1 while any camera is frozen, else 0; None where there is no frame to look at."""

    needs_frames = True

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._hardware = config, hardware
        self._watchdogs: dict[str, FrozenCamera] = {}
        self._last: dict[str, tuple[int, bool]] = {}  # stamp of the last frame, and whether it was frozen

    def reset(self, task: Task) -> None:
        """Forget all pictures."""
        self._watchdogs.clear()
        self._last.clear()

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        """Return whether a camera is frozen."""
        if not observation.frames:
            return None
        found = [self._is_frozen(name, frame, observation) for name, frame in observation.frames.items()]
        return float(any(found))

    def _is_frozen(self, name: str, frame: CameraFrame, observation: Observation) -> bool:
        last = self._last.get(name)
        if last is not None and last[0] == frame.stamp:
            return last[1]  # a slower camera's newest frame comes again: that is no new picture
        fault = self._watchdog(name).look(frame, observation.joints.position)
        self._last[name] = frame.stamp, bool(fault)
        return bool(fault)

    def _watchdog(self, name: str) -> FrozenCamera:
        if name not in self._watchdogs:
            robot, camera = self._hardware.robot, self._hardware.cameras.get(name)
            shows = None if camera is None else partial(visible_motion, robot, camera)
            self._watchdogs[name] = FrozenCamera(f"camera {name}", self._config.motion, shows)
        return self._watchdogs[name]
