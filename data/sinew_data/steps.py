"""Control periods from an episode's messages: what was observed, what was sent, what it was worth.

Messages of different topics overtake each other between sender and recorder. A step therefore waits until
what belongs to it has come, or something later of the same kind, or half a second of the recorder's time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sinew_core.observations import ObservationBuffer
from sinew_core.types import NANOSECONDS, ExecutedCommand, Observation, RewardEstimate, Task

from sinew_data import topics
from sinew_data.messages import executed_from_msg
from sinew_data.parts import Message, Parts
from sinew_data.summary import EpisodeSummary

PATIENCE = NANOSECONDS // 2  # ns of log time
HUMAN = "human"


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One control period of an episode.

    `executed` is None where an observation was acted on and the episode ended before the command. A part
    that the policy saw and that the file lacks is named in `missing`.
    """

    index: int
    observation: Observation
    executed: ExecutedCommand | None
    reward: RewardEstimate | None
    owner: str  # hold | policy | human | stopped; empty without a command
    intervention: bool  # a person drove
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pending:
    executed: ExecutedCommand
    log_time: int  # ns


class Steps:
    """Takes messages in the order of their log times and hands out steps."""

    def __init__(self, summary: EpisodeSummary, *, frames: bool = True, seen: bool = True) -> None:
        start = summary.start
        self._parts = Parts(summary, frames=frames, seen=seen)
        self.topics = (*self._parts.topics, topics.EXECUTED)
        self._episode = start.episode
        self._task = Task(start.task, start.instruction, start.max_steps)
        self._max_age = round(start.max_age * NANOSECONDS)
        self._pending: deque[_Pending] = deque()
        self._index = 0
        self._last, self._now = -1, 0  # ns: stamp of the last step's joints; log time of the last message

    def take(self, message: Message) -> Iterator[RecordedStep]:
        """Take a message; yield the steps that are complete by it."""
        self._now = message.log_time
        if message.topic == topics.EXECUTED:
            decoded = message.decode()
            if decoded.episode == self._episode:
                self._pending.append(_Pending(executed_from_msg(decoded), message.log_time))
        else:
            self._parts.add(message)
        while self._pending and self._ready(self._pending[0]):
            yield from self._step(self._pending.popleft())
        if message.topic == topics.JOINTS:
            self._parts.forget(self._pending[0].executed.stamp if self._pending else None, self._last)

    def rest(self) -> Iterator[RecordedStep]:
        """Yield what is left at the end of the file."""
        while self._pending:
            yield from self._step(self._pending.popleft())
        for stamp in self._parts.observed_after(self._last):
            if self._parts.joints_stamp(stamp) == stamp:
                yield self._at(stamp, None, self._now)

    def _ready(self, head: _Pending) -> bool:
        if self._now - head.log_time >= PATIENCE:
            return True
        if not self._parts.settled(topics.JOINTS, head.executed.stamp):
            return False
        stamp = self._parts.joints_stamp(head.executed.stamp)
        return stamp is None or self._parts.complete(stamp)

    def _step(self, head: _Pending) -> Iterator[RecordedStep]:
        """Yield the step of a command, unless no joints were recorded before it."""
        stamp = self._parts.joints_stamp(head.executed.stamp)
        if stamp is not None:
            yield self._at(stamp, head.executed, head.log_time)

    def _at(self, stamp: int, executed: ExecutedCommand | None, log_time: int) -> RecordedStep:
        observation, missing = self._observe(stamp, log_time)
        owner = "" if executed is None else executed.source
        index, self._index, self._last = self._index, self._index + 1, stamp
        reward = self._parts.reward(stamp)
        return RecordedStep(index, observation, executed, reward, owner, owner == HUMAN, missing)

    def _observe(self, stamp: int, log_time: int) -> tuple[Observation, tuple[str, ...]]:
        """Build an observation as the live graph does, from the parts that were seen or the newest ones."""
        parts = self._parts
        seen = parts.observed(stamp)
        named = seen if seen is not None else parts.newest(stamp)
        wanted = [name for name in named.frames if parts.has_camera(name)]
        frames = {name: parts.frame(name, named.frames[name]) for name in wanted}
        percept = parts.percept(named.keypoints)
        buffer = ObservationBuffer(self._task, self._max_age)
        buffer.add_joints(parts.joints(stamp))
        buffer.add_frames({name: frame for name, frame in frames.items() if frame is not None})
        if percept is not None:
            buffer.add_percept(percept)
        buffer.affordance = parts.affordance(stamp, log_time)
        observation = buffer.build()
        assert observation is not None
        missing = [name for name, frame in frames.items() if frame is None]
        missing += ["keypoints"] if named.keypoints and percept is None else []
        return observation, tuple(missing)
