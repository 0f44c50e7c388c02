"""What the control loop tells the rest of the graph, and how an episode ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from sinew_core.authority import Authority
from sinew_core.types import CameraFrame, ExecutedCommand, JointState, RewardEstimate, Task

from sinew_nodes.mailbox import Goal

Cause = Literal["", "timeout", "device", "node", "cancelled", "halted", "stopped"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an episode ended; `cause` says what went wrong, where something did."""

    outcome: str
    message: str = ""
    cause: Cause = ""


class EpisodeEndError(Exception):
    """Leaves an episode from anywhere in it."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


class Outlet(Protocol):
    """Where the loop's results go; called in the loop's thread."""

    def observed(self, joints: JointState, *, simulated: bool) -> None:
        """Joints were read."""

    def captured(self, name: str, frame: CameraFrame) -> None:
        """A camera was read."""

    def wanted(self, name: str) -> bool:
        """Whether anybody listens to a camera."""

    def rewarded(self) -> bool:
        """Whether there is a reward model in the graph."""

    def executed(self, command: ExecutedCommand, written: int, episode: int) -> None:
        """A command was sent, at `written` ns."""

    def owned(self, state: Authority, took: float, stamp: int) -> None:
        """The arm has another owner since `stamp`, `took` s after that was asked for."""

    def read(self, seconds: float) -> None:
        """Everything was read and published, in so many seconds."""

    def overran(self, seconds: float) -> None:
        """A control period took so much too long."""

    def started(self, episode: int, start: int, task: Task, seed: int) -> None:
        """An episode has begun."""

    def progressed(self, goal: Goal, steps: int, reward: RewardEstimate | None) -> None:
        """A control period of an episode is over."""

    def ended(self, goal: Goal, episode: int, stamp: int, task: Task, ending: Ending, steps: int) -> None:
        """An episode is over and the arm held."""

    def broke(self, error: Exception) -> None:
        """A device failed, or the loop itself; the arm is held."""
