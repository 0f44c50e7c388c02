"""What the tracker takes for granted: distances, times, and when a track is given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Config:
    """Metres and seconds; the defaults serve every robot here."""

    detector: Mapping[str, Any] = field(
        default_factory=lambda: {"plugin": "sinew_perception.keypoints:KeypointDetector"}
    )
    cameras: tuple[str, ...] = ("top", "side")  # that are looked through for what the detector misses
    gate: float = 0.045  # m that an object may have moved from one set of frames to the next
    speed: float = 0.3  # m/s by which the gate widens while an object is unseen
    whole: float = 0.9  # confidence from which on a sighting is taken as it is
    half_life: float = 1.0  # s unseen after which half the confidence is left
    lose_after: float = 3.0  # s unseen after which a track is given up
    empty_after: float = 0.25  # s after which a place that is seen to be empty is believed
    born_after: int = 3  # sightings of something new in a row; one, at an episode's start
    renamed_after: int = 10  # whole sightings in a row as something else
    longest_gap: float = 1.0  # s between frames; beyond it, nothing of the last frames is used
    empty_aperture: float = 0.1  # of the gripper; what stops it further open is in its jaws
    closing: float = 0.03  # of the aperture, that closing on something takes at least
    opening: float = 0.06  # of the aperture, that lets go
    jaw_reach: float = 0.025  # m from the tip to the near side of what is between the jaws

    def __post_init__(self) -> None:
        """Check the signs and that what is lost was unseen for a while."""
        lengths = self.gate, self.speed, self.half_life, self.empty_after, self.longest_gap, self.jaw_reach
        if min(lengths) <= 0 or self.lose_after < self.empty_after:
            raise ValueError("expected positive distances and times, and lose_after >= empty_after.")
        if not 0 < self.whole <= 1 or min(self.born_after, self.renamed_after) < 1:
            raise ValueError("expected 0 < whole <= 1 and born_after, renamed_after >= 1.")
        if not (self.closing > 0 and self.opening > 0 and 0 <= self.empty_aperture < 1):
            raise ValueError("expected closing, opening > 0 and 0 <= empty_aperture < 1.")
