"""A detector that says what a test has told it."""

from __future__ import annotations

from collections.abc import Mapping

from sinew_core.types import CameraFrame, JointState, Keypoint, Percept, Task

SPEC = {"plugin": "told_detector:ToldDetector"}


class ToldDetector:
    """Answers with `says`, whatever it is shown."""

    says: Mapping[str, Keypoint] = {}

    def reset(self, task: Task) -> None:
        """Nothing to forget."""

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return what it was told, at the stamp of the joints."""
        return Percept(joints.stamp, dict(ToldDetector.says))
