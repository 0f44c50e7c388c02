"""What is believed of one object, and how it changes from one set of frames to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
from sinew_core.types import NANOSECONDS, FloatArray, Keypoint

from sinew_perception.tracking.grasping import Grasp
from sinew_perception.tracking.surface import Surface

UNKNOWN = np.full(3, 0.03)  # m, of an object whose extent the detector does not tell
HELD_FLOOR = 0.5  # share of its confidence that an unseen object keeps in closed jaws


@dataclass(frozen=True, slots=True)
class Track:
    """One object under its name."""

    name: str
    keypoint: Keypoint  # as it was estimated last; its confidence is that of when it was seen last
    seen: int  # ns, stamp of the frames that showed it last
    pictured: bool  # whether its surface is to be taken from those frames
    sure: bool  # whether it has ever been seen whole
    surface: Surface | None = None  # from when it was seen whole last
    rotation: FloatArray = field(default_factory=lambda: np.eye(3))  # since then
    grasp: Grasp | None = None
    empty_since: int | None = None  # ns; since then its place is seen to be empty
    otherwise: tuple[str, int] = ("", 0)  # what else it was taken for, how often in a row

    @property
    def kind(self) -> str:
        """The name that the detector has for such objects."""
        return kind_of(self.name)

    @property
    def position(self) -> FloatArray:
        """The centre (3,) m."""
        return self.keypoint.position

    @property
    def extent(self) -> FloatArray:
        """The size (3,) m."""
        return UNKNOWN if self.keypoint.extent is None else self.keypoint.extent

    def unseen(self, stamp: int) -> float:
        """Return for how long it has not been seen, s."""
        return (stamp - self.seen) / NANOSECONDS

    def report(self, stamp: int, half_life: float) -> Keypoint:
        """Return the keypoint to be published: unseen, it is believed less from moment to moment."""
        if self.seen == stamp:
            return replace(self.keypoint, visible=True, held=self.grasp is not None)
        left = 0.5 ** (self.unseen(stamp) / half_life)
        if self.grasp is not None:
            left = max(left, HELD_FLOOR)
        return replace(
            self.keypoint,
            pixel=None,
            confidence=self.keypoint.confidence * left,
            visible=False,
            held=self.grasp is not None,
        )


def kind_of(name: str) -> str:
    """Return a detection's kind, its name without the number that tells it from its like."""
    return re.sub(r"_\d+$", "", name)


def likeness(a: str, b: str) -> float | None:
    """Return 0 for two of a kind, 1 for one colour and two shapes, None for what cannot be one thing."""
    if a == b:
        return 0.0
    colour, _, shape = a.partition("_")
    return 1.0 if shape and b.startswith(colour + "_") else None


def carried(track: Track, X_BT: FloatArray) -> Track:
    """Return the track where the gripper's tip has taken it, if it is held."""
    if track.grasp is None:
        return track
    position, rotation, yaw = track.grasp.carried(X_BT)
    return replace(track, keypoint=replace(track.keypoint, position=position, yaw=yaw), rotation=rotation)
