"""Records every episode of the graph, in a process of its own that gives way to control.

What comes while others compute waits in deep histories. Messages are written as they came.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.serialization import deserialize_message
from sinew_data import topics
from sinew_data.errors import RecordingError
from sinew_data.facts import MODELS, episode_facts, recording_facts
from sinew_data.messages import EpisodeEvent
from sinew_data.readiness import check_space, prepare_dataset
from sinew_data.writer import EpisodeWriter
from sinew_msgs.msg import Authority as AuthorityMsg
from sinew_msgs.msg import EpisodeEvent as EpisodeEventMsg

from sinew_nodes import convert, qos
from sinew_nodes.component_node import ComponentNode, run_node
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.parameters import RecorderParameters
from sinew_nodes.recorder_arrival import Arrival
from sinew_nodes.recorder_ear import Ear
from sinew_nodes.recorder_take import Take
from sinew_nodes.recorder_takes import Takes
from sinew_nodes.recorder_topics import intrinsics, recorded_topics

NICENESS = 5  # in real time; where time stands still there is nothing to give way to
TICK = 0.1  # s
DISCOVERY = 3.0  # s until the graph is found
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
        self._owners: deque[Arrival] = deque(maxlen=16)  # who owned the arm last
        self._ear: Ear | None = None
        self._executor_thread = 0
        self.create_timer(TICK, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def setup(self) -> None:
        """Check the dataset, gather what is known before any episode, and subscribe."""
        self._executor_thread = threading.get_ident()
        self._dataset = Path(self.parameters.dataset).expanduser().absolute()
        self._tell_left(prepare_dataset(self._dataset))
        self._hardware = hardware_for(self.parameters)
        if self._hardware.config.pace == "realtime":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)  # the writers' threads, too
        models = {kind: getattr(self.parameters, kind) for kind in MODELS}
        self._facts = recording_facts(self._hardware, self.parameters.task, models)
        self._ear = Ear(self, recorded_topics(self._hardware), self._on_arrival)

    def start(self) -> None:
        """Record from the next episode on."""
        assert self._ear is not None
        silent = self._ear.await_senders(DISCOVERY)
        if silent:
            self.get_logger().warning(
                f"nothing is heard of {', '.join(silent)}; its first messages may be lost"
            )
        self.get_logger().info(f"recording to {self._dataset}")

    def farewell(self) -> None:
        """Wait briefly for the end of a running episode, and for its last messages."""
        deadline = time.monotonic() + LAST_WORDS
        silent = 0  # turns, since when nothing has been under way
        while silent < 5 and time.monotonic() < deadline:
            self._let_hear(deadline)
            silent = 0 if self._takes.running else silent + 1
            time.sleep(0.02)
        while self._takes.ending and time.monotonic() < deadline + LAST_WORDS:
            time.sleep(0.02)

    def _let_hear(self, deadline: float) -> None:
        """Have the executor take everything that has come, and wait until it has."""
        heard = threading.Event()

        def hear() -> None:
            self._hear_waiting()
            heard.set()

        self.post(hear)
        heard.wait(max(0.0, deadline - time.monotonic()))

    def teardown(self) -> None:
        """End what is still under way, and wait for the files."""
        ear, self._ear = self._ear, None
        if ear is not None and threading.get_ident() == self._executor_thread:
            self._listen_on(ear)
        with self._lock:
            self._takes.finish_all("the recorder was stopped")
        late = wait(list(self._commits), COMMIT).not_done
        if late:
            self.get_logger().error(f"{len(late)} episodes could not be finished within {COMMIT:g} s")
        if ear is not None:
            ear.close()

    def _listen_on(self, ear: Ear) -> None:
        """Do as the executor does, which is in the very call that waits here."""
        deadline = time.monotonic() + LAST_WORDS
        while ear.hear_each() or (self._takes.running and time.monotonic() < deadline):
            time.sleep(0.001)

    def _tell_left(self, left: int) -> None:
        if left:
            what = "1 unfinished episode was" if left == 1 else f"{left} unfinished episodes were"
            self.get_logger().warning(
                f"{what} left in {self._dataset} by a recorder that did not come to its end. "
                f"`sinew data repair {self._dataset}` brings back what is there."
            )

    def _on_arrival(self, arrival: Arrival) -> None:
        now = time.monotonic()
        self.meter.counts["messages"] += 1
        self.meter.counts["lost"] += arrival.lost
        with self._lock:
            if arrival.topic == topics.EPISODE:
                self._on_episode(arrival, now)
            elif arrival.topic == topics.AUTHORITY:
                self._owners.append(arrival)
                self._takes.add(arrival, now, deserialize_message(arrival.data, AuthorityMsg).owner)
            else:
                self._takes.add(arrival, now)

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
        before = [arrival for arrival in self._owners if arrival.stamp is not None and arrival.stamp < stamp]
        if before:
            yield replace(before[-1], log_time=log_time, lost=0)

    def _tick(self) -> None:
        """Commit what is whole; on a busy machine much may have come that still waits to be heard."""
        if self._takes.ending:
            self._hear_waiting()
        with self._lock:
            self._takes.finish_whole(time.monotonic())

    def _hear_waiting(self) -> None:
        for _ in range(qos.RECORDER_DEPTH):
            if self._ear is None or not self._ear.hear_each():
                return

    def _stop(self, error: RecordingError) -> None:
        """Fail, so that the station holds; called when the disk has."""
        raise error

    def _committing(self, take: Take, commit: Future[Path]) -> None:
        self._commits.add(commit)
        commit.add_done_callback(partial(self._committed, take))

    def _committed(self, take: Take, commit: Future[Path]) -> None:
        """Say where an episode is now; called in its writer's thread."""
        self._commits.discard(commit)
        if commit.exception() is not None:
            return  # which the writer has told
        self.meter.counts["episodes"] += 1
        self.get_logger().info(f"recorded {commit.result()}")
        if take.lost:
            lost = ", ".join(f"{count} of {topic}" for topic, count in sorted(take.lost.items()))
            self.get_logger().warning(f"{commit.result().name} lacks messages: {lost}")


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
