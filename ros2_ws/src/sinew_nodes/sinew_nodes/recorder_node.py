"""Records every episode of the graph, in a process of its own and after everybody else.

Its threads give way to all others; what comes meanwhile waits in deep histories. Messages are written as
they came, images included, without being looked into.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.serialization import deserialize_message
from sinew_core.types import NANOSECONDS
from sinew_data import topics
from sinew_data.errors import RecordingError
from sinew_data.facts import MODELS, episode_facts, recording_facts
from sinew_data.messages import EpisodeEvent
from sinew_data.readiness import check_space, prepare_dataset
from sinew_data.writer import EpisodeWriter
from sinew_msgs.msg import Authority as AuthorityMsg
from sinew_msgs.msg import EpisodeEvent as EpisodeEventMsg

from sinew_nodes import convert
from sinew_nodes.component_node import ComponentNode, run_node
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.parameters import RecorderParameters
from sinew_nodes.recorder_take import Arrival, Take, header_stamp_of
from sinew_nodes.recorder_takes import Takes
from sinew_nodes.recorder_topics import intrinsics, message_class, recorded_topics

NICENESS = 10
TICK = 0.1  # s
LAST_WORDS = 1.0  # s that a running episode's end is waited for when the recorder has to go
COMMIT = 3.0  # s that the files may take then


class RecorderNode(ComponentNode[RecorderParameters]):
    """Writes each episode, from its start to its end, into one file of the dataset."""

    Parameters = RecorderParameters

    def __init__(self) -> None:
        super().__init__("recorder_node")
        self._lock = threading.RLock()  # of the takes: whoever takes the node down need not be the executor
        self._takes = Takes(self._committing)
        self._commits: set[Future[Path]] = set()
        self._standing: Arrival | None = None  # who owns the arm
        self._subscribed: list[Any] = []
        self._wall = time.time_ns() - time.monotonic_ns()  # log times are steady, whatever sets the clock
        self.create_timer(TICK, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def setup(self) -> None:
        """Check the dataset, gather what is known before any episode, and subscribe."""
        os.setpriority(
            os.PRIO_PROCESS, threading.get_native_id(), NICENESS
        )  # the writers' threads inherit it
        self._dataset = Path(self.parameters.dataset).expanduser().absolute()
        self._tell_left(prepare_dataset(self._dataset))
        self._hardware = hardware_for(self.parameters)
        models = {kind: getattr(self.parameters, kind) for kind in MODELS}
        self._facts = recording_facts(self._hardware, self.parameters.task, models)
        for topic, profile in recorded_topics(self._hardware).items():
            take = partial(self._on_message, topic)
            name = topic.removeprefix("/")
            self._subscribed.append(self.listen(message_class(topic), name, take, profile, raw=True))

    def start(self) -> None:
        """Record from the next episode on."""
        self.get_logger().info(f"recording to {self._dataset}")

    def teardown(self) -> None:
        """Wait briefly for the end of a running episode, then for the files."""
        deadline = time.monotonic() + LAST_WORDS
        self._drain()
        while self._takes.running and time.monotonic() < deadline:
            time.sleep(0.02)
            self._drain()
        with self._lock:
            self._takes.finish_all("the recorder was stopped")
        late = wait(list(self._commits), COMMIT).not_done
        if late:
            self.get_logger().error(f"{len(late)} episodes could not be finished within {COMMIT:g} s")
        while self._subscribed:
            self.destroy_subscription(self._subscribed.pop())

    def _drain(self) -> None:
        """Take by hand what has come: the executor has stopped, or is in the very call that waits here."""
        for subscription in self._subscribed:
            while (wire := _take_wire(subscription)) is not None:
                subscription.callback(wire)

    def _tell_left(self, left: int) -> None:
        if left:
            what = "1 unfinished episode was" if left == 1 else f"{left} unfinished episodes were"
            self.get_logger().warning(
                f"{what} left in {self._dataset} by a recorder that did not come to its end. "
                f"`sinew data repair {self._dataset}` brings back what is there."
            )

    def _on_message(self, topic: str, wire: bytes) -> None:
        now = time.monotonic_ns()
        stamp = None if topic == topics.FAULT else header_stamp_of(wire)
        arrival = Arrival(topic, stamp, self._wall + now, wire)
        self.meter.counts["messages"] += 1
        with self._lock:
            if topic == topics.EPISODE:
                self._on_episode(arrival, now / NANOSECONDS)
            elif topic == topics.AUTHORITY:
                self._standing = arrival
                self._takes.add(arrival, now / NANOSECONDS, deserialize_message(wire, AuthorityMsg).owner)
            else:
                self._takes.add(arrival, now / NANOSECONDS)

    def _on_episode(self, arrival: Arrival, now: float) -> None:
        event = convert.event_from_msg(deserialize_message(arrival.data, EpisodeEventMsg))
        if event.started:
            self._takes.finish_running()
            if self.active:
                self._begin(event, arrival, now)
        else:
            self._takes.end(event, now)
            self._takes.add(arrival, now)

    def _begin(self, event: EpisodeEvent, arrival: Arrival, now: float) -> None:
        check_space(self._dataset, self.parameters.minimum_free)
        start = episode_facts(self._facts, event.task, event.seed, event.episode)
        writer = EpisodeWriter(self._dataset, start, on_error=partial(self.post, self._stop))
        self._takes.begin(event, writer, [*self._prelude(event.stamp, arrival.log_time), arrival], now)

    def _prelude(self, stamp: int, log_time: int) -> Iterator[Arrival]:
        """Yield what holds at the start of an episode: the intrinsics, and who owns the arm."""
        for topic, data in intrinsics(self._hardware, stamp).items():
            yield Arrival(topic, stamp, log_time, data)
        if self._standing is not None and (self._standing.stamp or 0) < stamp:
            yield replace(self._standing, log_time=log_time)

    def _tick(self) -> None:
        with self._lock:
            self._takes.finish_whole(time.monotonic())

    def _stop(self, error: RecordingError) -> None:
        """Fail, so that the station holds; called when the disk has."""
        raise error

    def _committing(self, take: Take, commit: Future[Path]) -> None:
        self._commits.add(commit)
        commit.add_done_callback(partial(self._committed, take))

    def _committed(self, take: Take, commit: Future[Path]) -> None:
        """Say where an episode is now; called in its writer's thread."""
        self._commits.discard(commit)
        if commit.exception() is None:
            lost = take.writer.dropped
            said = f", without {sum(lost.values())} messages that the disk was too slow for" if lost else ""
            self.get_logger().info(f"recorded {commit.result()}{said}")
            self.meter.counts["episodes"] += 1


def _take_wire(subscription: Any) -> bytes | None:
    with subscription.handle:
        taken = subscription.handle.take_message(subscription.msg_type, True)
    return None if taken is None else bytes(taken[0])


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
