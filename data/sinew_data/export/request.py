"""What a user asks an export for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

OnBytes = Callable[[int], None]  # hears how much of the episodes' files was worked through


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported, and how it is aligned."""

    fps: float | None = None  # Hz; None: the episodes' control rate
    tolerance: float | None = None  # s from a moment; None: half a frame period
    cameras: tuple[str, ...] | None = None  # None: all
    episodes: tuple[str, ...] = ()  # names or parts of them; none: all
    allow_gaps: bool = False  # leave rows out instead of refusing
    depth: bool = False  # frames count only with their depth, where the camera has it
    whole_fps: bool = False  # the format knows whole numbers of frames a second only
