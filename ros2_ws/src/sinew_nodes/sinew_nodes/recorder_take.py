"""One episode on its way to a file: which messages belong to it, and when it is whole."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from sinew_core.authority import HUMAN
from sinew_core.types import NANOSECONDS
from sinew_data import topics
from sinew_data.episode import EpisodeEnd
from sinew_data.messages import EpisodeEvent
from sinew_data.writer import EpisodeWriter

from sinew_nodes.recorder_arrival import Arrival

RING = NANOSECONDS  # ns that messages are kept which belong to no episode so far
RING_BYTES = 256 << 20
QUIET = 0.3  # s without a message of the episode after its end, until it is whole
LINGER = 2.0  # s after the end that it is waited for late messages, at most
MARKS = ("success", "failure", "discarded")
MARKED = "marked by a person"  # the station's words


class Ring:
    """The last second of messages that belong to no episode: its start may come after them."""

    def __init__(self) -> None:
        self._kept: deque[Arrival] = deque()
        self._bytes = 0

    def add(self, arrival: Arrival) -> None:
        """Keep a message, and forget what is too old or too much."""
        self._kept.append(arrival)
        self._bytes += len(arrival.data)
        while self._bytes > RING_BYTES or arrival.log_time - self._kept[0].log_time > RING:
            self._bytes -= len(self._kept.popleft().data)

    def take_since(self, stamp: int) -> Iterator[Arrival]:
        """Yield what is stamped at `stamp` or later, in the order of arrival, and forget everything."""
        kept, self._kept, self._bytes = self._kept, deque(), 0
        return (arrival for arrival in kept if arrival.stamp is not None and arrival.stamp >= stamp)


class Take:
    """Hands an episode's messages to its writer and counts. Times are s of the monotonic clock."""

    def __init__(self, event: EpisodeEvent, writer: EpisodeWriter) -> None:
        self.event, self.writer = event, writer
        self.end: EpisodeEvent | None = None
        self._ended = self._last = 0.0
        self._joints = -1  # ns, stamp of the last ones
        self._steps = self._interventions = 0
        self._queue_max = 0  # bytes
        self._lost: Counter[str] = Counter()  # messages that never came, by topic
        self._owner = ""

    def claims(self, arrival: Arrival) -> bool:
        """Whether a message belongs to the episode: by its stamp, without one by its arrival."""
        if arrival.stamp is None:
            return True
        return self.event.stamp <= arrival.stamp and (self.end is None or arrival.stamp <= self.end.stamp)

    def add(self, arrival: Arrival, now: float) -> None:
        """Take a message that belongs to the episode."""
        if arrival.topic == topics.JOINTS:
            if arrival.stamp == self._joints:  # where time stands still after the end, they come again
                return
            self._joints = -1 if arrival.stamp is None else arrival.stamp
        self._steps += arrival.topic == topics.EXECUTED
        self._last = now
        if arrival.lost:
            self._lost[arrival.topic] += arrival.lost
        stamp = arrival.log_time if arrival.stamp is None else arrival.stamp
        self.writer.write(arrival.topic, topics.type_of(arrival.topic), arrival.log_time, stamp, arrival.data)
        self._queue_max = max(self._queue_max, self.writer.waiting_bytes)

    def owned(self, owner: str) -> None:
        """Take note of who moves the arm from now on."""
        self._interventions += owner == HUMAN != self._owner
        self._owner = owner

    def ended(self, event: EpisodeEvent, now: float) -> None:
        """Take the episode's end; late messages may still come."""
        self.end, self._ended, self._last = event, now, now

    @property
    def lost(self) -> dict[str, int]:
        """Messages that are not in the file, by topic: lost on their way, or too many for the disk."""
        return dict(self._lost + Counter(self.writer.dropped))

    def whole(self, now: float) -> bool:
        """Whether the episode has ended and nothing more is to be expected."""
        return self.end is not None and now >= min(self._last + QUIET, self._ended + LINGER)

    def finish(self, message: str = "") -> Future[Path]:
        """Have the file committed; `message` says why, where the episode's end was never heard of."""
        end = self.end
        outcome, message = ("interrupted", message) if end is None else (end.outcome, end.message)
        marks = (outcome,) if message == MARKED and outcome in MARKS else ()
        return self.writer.finish(
            EpisodeEnd(
                outcome,
                message,
                self._steps,
                self._interventions,
                marks,
                dropped=dict(self._lost),
                extra={"queue_bytes_max": str(self._queue_max)},
            )
        )
