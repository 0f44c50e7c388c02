"""What a person at the arm needs to see, at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the screen shows of the graph and the device."""

    owner: str = ""  # '' before the station has said so
    previous: str = ""
    reason: str = ""
    took: float = 0.0  # s, that the last change of the owner took
    causes: tuple[str, ...] = ()  # of a stop
    holds: tuple[str, ...] = ()
    episode: int = 0  # number of the running one, 0 for none
    instruction: str = ""
    last: str = ""  # how the last episode ended
    tip: FloatArray | None = None  # (3,) m
    tip_speed: float = 0.0  # m/s
    aperture: float = 0.0  # of the gripper, 0 to 1
    limits: tuple[str, ...] = ()  # that bit in the last command
    silence: float = 0.0  # s since the last joints
    status: str = ""  # of the device
    help: str = ""
    said: str = ""  # the last thing that was asked for, and what came of it
    said_well: bool = True
    said_age: float = 0.0  # s
    recorder: str = ""  # '' for none
    recorder_well: bool = True
