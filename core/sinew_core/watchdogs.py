"""What notices that a device has stopped, a camera is frozen or a clock has jumped; time is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sinew_core.types import NANOSECONDS, CameraFrame, FloatArray, JointState

VISIBLE = 2.0  # px, by which what is seen to move changes a picture
Shows = Callable[[FloatArray, FloatArray], float]
THIN = 8  # every so many rows are compared first: nearly always enough to tell two frames apart


def joints_fault(joints: JointState, names: Sequence[str]) -> str:
    """Return what makes a reading unusable for a robot with these joints, or ''."""
    for what, values in (("joints", joints.position), ("velocities", joints.velocity)):
        if np.shape(values) != (len(names),):
            return f"arm: {np.size(values)} {what} were read, expected {len(names)}: {', '.join(names)}"
    for what, values in (("was read as", joints.position), ("was read to move at", joints.velocity)):
        for joint in np.flatnonzero(~np.isfinite(values)):
            return f"arm: {names[int(joint)]} {what} {values[joint]}"
    return ""


class StaleDevice:
    """Notices a device whose stamps stand still for longer than `max_age` s, or go back."""

    def __init__(self, name: str, max_age: float) -> None:
        self._name, self._max_age = name, max_age
        self._stamp: int | None = None
        self._since = 0

    def look(self, stamp: int, now: int) -> tuple[bool, str]:
        """Return whether a stamp is a new one, and what is wrong, or ''; `now` is a steady clock's, in ns."""
        if self._stamp is None or stamp > self._stamp:
            self._stamp, self._since = stamp, now
            return True, ""
        if stamp < self._stamp:
            back = (self._stamp - stamp) / NANOSECONDS
            return False, f"{self._name}: its stamp has gone back by {back:.3f} s"
        silence = (now - self._since) / NANOSECONDS
        if silence <= self._max_age:
            return False, ""
        return False, (
            f"{self._name} has stopped: nothing new for {silence:.2f} s (max_age {self._max_age} s)"
        )


class FrozenCamera:
    """Notices a camera that goes on delivering the very same picture while the arm moves.

    `motion` is how far the joints move in all (rad or m) before identical frames are a fault. A camera
    with noise never repeats a frame: 0 suits it. In a simulator a picture may well stay the same while
    the arm moves a little, or somewhere else: `shows` tells by how many px it is seen to move between two
    joint positions (n,).
    """

    def __init__(self, name: str, motion: float, shows: Shows | None = None) -> None:
        self._name, self._motion, self._shows = name, motion, shows
        self._last: CameraFrame | None = None
        self._start: FloatArray | None = None  # (n,), at the first of the identical pictures
        self._position: FloatArray | None = None  # (n,), at the last one
        self._moved, self._frozen = 0.0, False

    def look(self, frame: CameraFrame, position: FloatArray) -> str:
        """Return what is wrong with a new frame, or ''; `position` (n,) are the joints at its capture."""
        last, self._last = self._last, frame
        before, self._position = self._position, position
        if last is None or before is None or self._start is None or not _same_picture(last, frame):
            self._moved, self._start, self._frozen = 0.0, position, False
            return ""
        self._moved += float(np.abs(position - before).sum())
        if self._moved < self._motion:
            return ""
        # Once frozen it stays so until the picture changes, even if the held arm is back where it was.
        seen = self._frozen or self._shows is None or self._shows(self._start, position) >= VISIBLE
        self._frozen = seen
        if not seen:
            return ""
        return f"{self._name} is frozen: the same picture while the joints moved by {self._moved:.2f}"


def _same_picture(a: CameraFrame, b: CameraFrame) -> bool:
    if not np.array_equal(a.rgb[::THIN], b.rgb[::THIN]):
        return False
    if a.depth is not None and b.depth is not None and not np.array_equal(a.depth, b.depth):
        return False
    return np.array_equal(a.rgb, b.rgb)


class ClockJump:
    """Notices a station's clock that goes back, or away from a steady one by more than `tolerance` s."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._last: tuple[int, int] | None = None

    def look(self, stamp: int, now: int) -> str:
        """Return what is wrong with a new stamp, or ''; both in ns."""
        last, self._last = self._last, (stamp, now)
        if last is None:
            return ""
        jump = ((stamp - last[0]) - (now - last[1])) / NANOSECONDS
        if abs(jump) > self._tolerance:
            return f"the clock has jumped by {jump:+.3f} s"
        back = (last[0] - stamp) / NANOSECONDS  # stamps are compared with each other: not even a little
        return f"the clock has gone back by {back:.3f} s" if back > 0 else ""
