"""What a run is asked to do and what it keeps of each step, the same for every graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sinew_core.hardware import Pace
from sinew_core.runtime import EpisodeResult
from sinew_core.types import FloatArray, ImageArray


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What `sinew run` was asked for; names as the user typed them."""

    hardware: str
    task: str
    policy: str
    reward: str
    affordance: str = "rule_grounding"
    instruction: str = ""  # empty: the task draws one from the seed
    max_steps: int = 0  # control periods; 0: the task's own
    pace: Pace = "lockstep"
    video_camera: str = "side"
    plain_video: bool = False  # nothing drawn on it
    alternate: bool = False  # each episode in the scene that the last one left, the task and its way back
    retries: int = 2  # of a way that failed, until the scene is laid out anew
    back: str = ""  # the sentence of the way back; empty: the simulator's
    by_hand: bool = False  # a person lays the scene out anew, and says so
    record: str = ""  # dataset that every episode is recorded into; empty: none


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One control period, as far as a report needs it."""

    index: int
    stamp: int
    position: FloatArray  # (n,) executed
    source: str
    reasons: tuple[str, ...]
    reward: float
    terms: Mapping[str, float] = field(default_factory=dict)
    frame: ImageArray | None = None  # (h, w, 3), of the video camera
    wall: float = 0.0  # s since the episode began, on the wall clock
    instruction: str = ""  # of the episode, where the graph knows it while it runs


OnRecord = Callable[[StepRecord], None]


class Graph(Protocol):
    """What drives episodes: one process, or the ROS 2 nodes. Constructed from a RunConfig."""

    def run_episode(self, seed: int, on_record: OnRecord, again: str | None = None) -> EpisodeResult:
        """Run one episode to its end; Ctrl-C ends it as `interrupted`, with the arm held.

        With `again`, that is asked of the scene as it lies; an empty sentence undoes the last.
        """

    def picture(self) -> ImageArray | None:
        """Return what the affordance model looked at and answered in the last episode, if it can show it."""

    def close(self) -> None:
        """Leave the arm held and no process behind."""
