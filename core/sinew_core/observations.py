"""The observation buffer: the newest of everything, with nothing kept past its age."""

from __future__ import annotations

from collections.abc import Mapping

from sinew_core.types import NANOSECONDS, Affordance, CameraFrame, JointState, Observation, Percept, Task


class ObservationBuffer:
    """Collects what arrives at different rates and builds observations from it.

    Parts older than `max_age` ns are left out, so that a camera that stops leads to an observation
    without frames and keypoints, never to one with stale ones. Not thread-safe.
    """

    def __init__(self, task: Task, max_age: int) -> None:
        self.task = task
        self._max_age = max_age
        self._joints: JointState | None = None
        self._frames: dict[str, CameraFrame] = {}
        self._percept: Percept | None = None
        self.affordance: Affordance | None = None

    def add_joints(self, joints: JointState) -> None:
        """Take joints; a stamp before the last one is an error."""
        self._check("joints", joints.stamp, None if self._joints is None else self._joints.stamp)
        self._joints = joints

    def add_frames(self, frames: Mapping[str, CameraFrame]) -> None:
        """Take frames by camera name; a stamp before the last one of its camera is an error."""
        for name, frame in frames.items():
            last = self._frames.get(name)
            self._check(f"camera {name}", frame.stamp, None if last is None else last.stamp)
            self._frames[name] = frame

    def add_percept(self, percept: Percept) -> None:
        """Take what perception saw; a stamp before the last one is an error."""
        self._check("percept", percept.stamp, None if self._percept is None else self._percept.stamp)
        self._percept = percept

    @property
    def percept_stamp(self) -> int:
        """The stamp of the percept that the next observation would hold, 0 for none."""
        if self._joints is None or self._percept is None:
            return 0
        fresh = self._joints.stamp - self._percept.stamp <= self._max_age
        return self._percept.stamp if fresh else 0

    def build(self) -> Observation | None:
        """Return the observation at the newest joints, or None before any joints came."""
        if self._joints is None:
            return None
        now = self._joints.stamp
        percept = self._percept
        if percept is None or now - percept.stamp > self._max_age:
            percept = Percept(now)
        return Observation(
            stamp=now,
            joints=self._joints,
            frames={key: frame for key, frame in self._frames.items() if now - frame.stamp <= self._max_age},
            keypoints=dict(percept.keypoints),
            affordance=self.affordance,
            features=dict(percept.features),
            task=self.task,
        )

    @staticmethod
    def _check(what: str, stamp: int, last: int | None) -> None:
        if last is not None and stamp < last:
            behind = (last - stamp) / NANOSECONDS
            raise ValueError(f"{what}: stamp {stamp} lies {behind:.3f} s before the last one, {last}.")
