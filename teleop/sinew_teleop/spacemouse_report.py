"""The reports of 3Dconnexion's six-axis mice, as their HID interface sends them.

Report 1 carries translation (or, on newer receivers, all six axes), 2 rotation, 3 the buttons as bits;
axes are little-endian int16 of about +-350. The device's own frame is x right, y toward the person, z down.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray

TRANSLATION, ROTATION, BUTTONS = 1, 2, 3
FULL = 350.0
# From the device's frame to the robot's base as a person behind the robot sees it: x forward, y left, z up.
TO_BASE = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


@dataclass(frozen=True, slots=True)
class CapState:
    """How the cap is held, in shares of full deflection, and which buttons are down."""

    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)  # device frame
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    buttons: int = 0  # bit i: button i

    def button(self, number: int) -> bool:
        """Whether a button is down."""
        return number >= 0 and bool(self.buttons >> number & 1)

    def in_base(self) -> tuple[FloatArray, FloatArray]:
        """Return translation and rotation (3,) in the frame of the robot's base."""
        return TO_BASE @ np.array(self.translation), TO_BASE @ np.array(self.rotation)


def apply_report(state: CapState, report: Sequence[int]) -> CapState:
    """Return the state after a report; one that is too short or of another kind changes nothing."""
    if not report:
        return state
    kind, body = report[0], bytes(report[1:])
    if kind == TRANSLATION and len(body) >= 12:
        return replace(state, translation=_axes(body[:6]), rotation=_axes(body[6:12]))
    if kind == TRANSLATION and len(body) >= 6:
        return replace(state, translation=_axes(body[:6]))
    if kind == ROTATION and len(body) >= 6:
        return replace(state, rotation=_axes(body[:6]))
    if kind == BUTTONS and body:
        return replace(state, buttons=int.from_bytes(body[:4], "little"))
    return state


def _axes(body: bytes) -> tuple[float, float, float]:
    x, y, z = (max(-1.0, min(1.0, value / FULL)) for value in struct.unpack("<3h", body))
    return x, y, z
