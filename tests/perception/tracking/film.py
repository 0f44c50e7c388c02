"""Sets of frames one after the other: painted scenes, or a detector's words without any picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from painter import Solid, hardware, joints, look
from sinew_core.types import CameraFrame, FloatArray, JointState, Keypoint, Percept, Task
from sinew_perception.tracking.config import Config
from sinew_perception.tracking.tracker import KeypointTracker
from told_detector import SPEC, ToldDetector

HARDWARE = hardware()
ROBOT = HARDWARE.robot
PERIOD = 50_000_000  # ns
CUBE = np.array([0.028, 0.028, 0.028])


def seen(x: float, y: float, z: float = 0.014, confidence: float = 1.0) -> Keypoint:
    """Return a detected cube."""
    return Keypoint(np.array([x, y, z]), confidence=confidence, yaw=0.0, extent=CUBE)


def arm(aperture: float = 1.0, **moved: float) -> FloatArray:
    """Return the joints (n,) at home but for some, the gripper open by `aperture`."""
    position = ROBOT.home.copy()
    position[ROBOT.gripper_index] = ROBOT.gripper_position(aperture)
    for name, value in moved.items():
        position[ROBOT.joint_names.index(name)] = value
    return position


def tip(position: FloatArray) -> FloatArray:
    """Return where the gripper's tip is (3,) m."""
    return ROBOT.chain.pose(ROBOT.tip_link, position)[:3, 3]


class Film:
    """A tracker, and the time."""

    def __init__(self, config: Config | None = None) -> None:
        self.tracker = KeypointTracker(config or Config(), HARDWARE)
        self.tracker.reset(Task("film", ""))
        self.stamp = 0

    def paint(self, *solids: Solid, periods: int = 1, cameras: tuple[str, ...] = ("top", "side")) -> Percept:
        """Show a painted scene; return the last percept."""
        painted = look(HARDWARE, *solids)
        frames = {name: painted[name] for name in cameras}
        for _ in range(periods):
            percept = self.show(frames, joints(HARDWARE).position)
        return percept

    def show(self, frames: Mapping[str, CameraFrame], position: FloatArray, step: int = PERIOD) -> Percept:
        """Show frames `step` ns after the last ones."""
        self.stamp += step
        stamped = {name: replace(frame, stamp=self.stamp) for name, frame in frames.items()}
        return self.tracker.process(stamped, JointState(self.stamp, position, np.zeros_like(position)))


class Tale(Film):
    """A film without pictures: the detector's words are all there is."""

    def __init__(self) -> None:
        super().__init__(Config(detector=SPEC))

    def tell(self, position: FloatArray | None = None, periods: int = 1, **says: Keypoint) -> Percept:
        """Let the detector say something; return the last percept."""
        ToldDetector.says = says
        for _ in range(periods):
            percept = self.show({}, arm() if position is None else position)
        return percept
