"""Episode events, changes of authority, and what an observation was made of, as messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sinew_core.types import Task

from sinew_data.messages.header import Make, header, header_stamp, stamp_from_msg, stamp_to_msg

STARTED, ENDED = 1, 2  # as in EpisodeEvent.msg


@dataclass(frozen=True, slots=True)
class EpisodeEvent:
    """The start or the end of an episode; `outcome` and `message` mean something at its end only."""

    stamp: int
    episode: int
    started: bool
    task: Task
    seed: int = 0
    outcome: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class AuthorityChange:
    """Who moves the arm from `stamp` on, and why."""

    stamp: int
    owner: str  # hold | policy | human | stopped
    previous: str
    reason: str
    took: float = 0.0  # s from the cause to the first control period under the owner
    causes: tuple[str, ...] = ()  # of a stop, not yet cleared
    holds: tuple[str, ...] = ()  # what forces a hold now


@dataclass(frozen=True, slots=True)
class Observed:
    """The parts of an observation that the policy answered, by their capture stamps."""

    stamp: int  # of the observation, which is that of its joints
    episode: int
    keypoints: int = 0  # stamp of the percept; 0 for none
    frames: Mapping[str, int] = field(default_factory=dict)  # stamp by camera


def event_to_msg(make: Make, event: EpisodeEvent) -> Any:
    """Return the start or end of an episode as a message."""
    return make["sinew_msgs/msg/EpisodeEvent"](
        header=header(make, event.stamp),
        episode=event.episode,
        kind=STARTED if event.started else ENDED,
        task=event.task.name,
        instruction=event.task.instruction,
        seed=event.seed,
        max_steps=event.task.max_steps,
        success=event.outcome == "success",
        outcome=event.outcome,
        message=event.message,
    )


def event_from_msg(message: Any) -> EpisodeEvent:
    """Return a message as the start or end of an episode."""
    return EpisodeEvent(
        header_stamp(message),
        int(message.episode),
        message.kind == STARTED,
        Task(message.task, message.instruction, int(message.max_steps)),
        int(message.seed),
        message.outcome,
        message.message,
    )


def authority_to_msg(make: Make, change: AuthorityChange) -> Any:
    """Return a change of authority as a message."""
    return make["sinew_msgs/msg/Authority"](
        header=header(make, change.stamp),
        owner=change.owner,
        previous=change.previous,
        reason=change.reason,
        took=float(change.took),
        causes=list(change.causes),
        holds=list(change.holds),
    )


def authority_from_msg(message: Any) -> AuthorityChange:
    """Return a message as a change of authority."""
    return AuthorityChange(
        header_stamp(message),
        message.owner,
        message.previous,
        message.reason,
        message.took,
        tuple(message.causes),
        tuple(message.holds),
    )


def observed_to_msg(make: Make, observed: Observed) -> Any:
    """Return what an observation was made of as a message."""
    return make["sinew_msgs/msg/Observed"](
        header=header(make, observed.stamp),
        episode=observed.episode,
        keypoints=stamp_to_msg(make, observed.keypoints),
        cameras=list(observed.frames),
        frames=[stamp_to_msg(make, stamp) for stamp in observed.frames.values()],
    )


def observed_from_msg(message: Any) -> Observed:
    """Return a message as what an observation was made of."""
    if len(message.cameras) != len(message.frames):
        raise ValueError(f"observed: {len(message.frames)} stamps for {len(message.cameras)} cameras.")
    stamps = map(stamp_from_msg, message.frames)
    return Observed(
        header_stamp(message),
        int(message.episode),
        stamp_from_msg(message.keypoints),
        dict(zip(message.cameras, stamps, strict=True)),
    )
