"""What an episode commanded, one row a control period, and how that is offered to a control path again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from sinew_core.authority import HOLD, HUMAN, POLICY
from sinew_core.control import ControlPath
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray, JointState

from sinew_data import topics
from sinew_data.messages import chunk_from_msg
from sinew_data.reader import Episode
from sinew_data.steps import RecordedStep

WHOLE = 1e-9  # control periods, within which a moment between two is one of them


@dataclass(frozen=True, slots=True)
class RecordedMotion:
    """Commands sent and joints measured, (steps, n) each, in rad or m."""

    commands: FloatArray
    measured: FloatArray


class Offers(Protocol):
    """What is offered to a control path, one control period after the other."""

    @property
    def rows(self) -> FloatArray:
        """The commands that are wanted, (periods, n)."""

    def offer(self, index: int, path: ControlPath, state: JointState) -> None:
        """Offer what is wanted in a control period, at the joints read in it."""


def read_motion(episode: Episode) -> RecordedMotion:
    """Read an episode's commands; ConfigError if it has none, or none that were sent at a known rate."""
    period = episode.summary.start.control_period
    if not period > 0:
        raise ConfigError(f"{episode.path}: its control period is {period} s, expected more than 0.")
    steps = _executed_steps(episode)
    pairs = [(step.executed.position, step.observation.joints.position) for step in steps if step.executed]
    if not pairs:
        raise ConfigError(f"{episode.path}: has no command to replay.")
    commands, measured = zip(*pairs, strict=True)
    return RecordedMotion(np.array(commands), np.array(measured))


def _executed_steps(episode: Episode) -> Iterator[RecordedStep]:
    return (step for step in episode.steps(frames=False) if step.executed is not None)


def resampled(rows: FloatArray, ratio: float) -> FloatArray:
    """Return rows (k, n) at every `ratio`-th row, between two of them on the straight line.

    The last one is always the last; where a row itself is meant it is returned bit by bit.
    """
    count = int(np.ceil((len(rows) - 1) / ratio - WHOLE)) + 1
    at = np.minimum(np.arange(count) * ratio, len(rows) - 1)
    below = np.floor(at + WHOLE).astype(int)
    share = np.where(np.abs(at - below) <= WHOLE, 0.0, at - below)[:, None]
    above = np.minimum(below + 1, len(rows) - 1)
    between = rows[below] + share * (rows[above] - rows[below])
    found: FloatArray = np.where(share == 0.0, rows[below], between)
    return found


@dataclass(frozen=True, slots=True)
class ExecutedOffers:
    """Offers each command that was sent, as a chunk of one row."""

    rows: FloatArray  # (periods, n)
    period: int  # ns

    def offer(self, index: int, path: ControlPath, state: JointState) -> None:
        """Offer one row for this control period."""
        chunk = ActionChunk(state.stamp, self.period / NANOSECONDS, self.rows[index : index + 1].copy())
        path.offer(POLICY, chunk, state.stamp)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Who drove in a control period, by a chunk that came to bear in it, and how old that was."""

    source: str
    chunk: ActionChunk | None  # None: the one before goes on
    age: int  # ns


@dataclass(frozen=True, slots=True)
class ChunkOffers:
    """Offers the chunks of policy and person again, each when it first came to bear."""

    rows: FloatArray  # (periods, n), what became of them
    turns: tuple[_Turn, ...]

    def offer(self, index: int, path: ControlPath, state: JointState) -> None:
        """Offer what came to bear in this control period; where the arm held, it holds again."""
        turn, before = self.turns[index], self.turns[index - 1].source if index else HOLD
        if turn.source not in topics.CHUNKS:
            path.arbiter.reset()
        if before == HUMAN and turn.source == POLICY:
            path.arbiter.give_back(state.stamp - turn.age)
        if turn.chunk is not None:
            path.offer(turn.source, replace(turn.chunk, stamp=state.stamp - turn.age), state.stamp)


def read_chunks(episode: Episode, motion: RecordedMotion) -> ChunkOffers:
    """Read the chunks behind an episode's commands; ConfigError if they were not recorded."""
    names = episode.summary.start.joints
    chunks = {
        (source, message.publish_time): chunk_from_msg(message.message, names)
        for source, topic in topics.CHUNKS.items()
        for message in episode.messages([topic])
    }
    turns, last = [], (HOLD, 0)
    for step in _executed_steps(episode):
        assert step.executed is not None
        key = (step.executed.source, step.executed.observation_stamp)
        age = step.observation.stamp - step.executed.observation_stamp
        if key[0] in topics.CHUNKS and key not in chunks:
            raise ConfigError(
                f"{episode.path}: {topics.CHUNKS[key[0]]} lacks the chunk of step {step.index}, so the "
                "chunks cannot be replayed. --source executed needs none."
            )
        turns.append(_Turn(key[0], chunks.get(key) if key != last else None, age))
        last = key
    return ChunkOffers(motion.commands, tuple(turns))
