"""Which episode a message belongs to: by its stamp, whichever comes first."""

from __future__ import annotations

import struct
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sinew_core.types import Task
from sinew_data import topics
from sinew_data.episode import EpisodeEnd
from sinew_data.messages import EpisodeEvent
from sinew_nodes.recorder_arrival import Arrival, Arrivals, header_stamp_of
from sinew_nodes.recorder_take import LINGER, QUIET, RING, Ring, Take
from sinew_nodes.recorder_takes import UNHEARD, Takes

TASK = Task("reach", "reach it")


class Paper:
    """A writer that keeps what it is given."""

    waiting_bytes = 7
    dropped: ClassVar[dict[str, int]] = {topics.JOINTS: 1}

    def __init__(self) -> None:
        self.written: list[tuple[str, int]] = []
        self.log_times: list[int] = []
        self.end: EpisodeEnd | None = None

    def write(self, topic: str, type_name: str, log_time: int, publish_time: int, data: bytes) -> bool:
        self.written.append((topic, publish_time))
        self.log_times.append(log_time)
        return True

    def finish(self, end: EpisodeEnd) -> Future[Path]:
        self.end = end
        return Future()


class Desk:
    """A recorder's episodes and their papers, by number."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.takes = Takes(lambda take, commit: self.done.append(take.event.episode))
        self.papers: dict[int, Any] = {}

    def begin(self, number: int, stamp: int, now: float = 0.0) -> Any:
        paper: Any = Paper()
        self.papers[number] = paper
        self.takes.begin(event(number, stamp), paper, [], now)
        return paper

    def end(self, number: int, stamp: int, now: float, outcome: str = "success", message: str = "") -> None:
        self.takes.end(event(number, stamp, outcome, message), now)

    def add(self, topic: str, stamp: int | None, now: float = 0.0, owner: str = "") -> None:
        self.takes.add(Arrival(topic, stamp, round(now * 1e9), b"x" * 10), now, owner)


def event(number: int, stamp: int, outcome: str = "", message: str = "") -> EpisodeEvent:
    return EpisodeEvent(stamp, number, not outcome, TASK, 0, outcome, message)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_overtakes_the_start_belongs_to_the_episode_and_what_came_before_does_not(desk: Desk) -> None:
    for stamp in (90, 99, 100, 101):
        desk.add(topics.KEYPOINTS, stamp)
    paper = desk.begin(1, 100)
    desk.add(topics.KEYPOINTS, 102)
    assert [stamp for _, stamp in paper.written] == [100, 101, 102]


def test_what_overtook_the_start_keeps_the_time_of_its_arrival(desk: Desk) -> None:
    desk.add(topics.KEYPOINTS, 100, now=0.25)
    assert desk.begin(1, 100, now=0.5).log_times == [250_000_000]


def test_what_comes_after_the_end_belongs_to_the_episode_by_its_stamp(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    desk.end(1, 200, now=1.0)
    desk.add(topics.REWARD, 199, now=1.1)
    desk.add(topics.REWARD, 201, now=1.2)
    assert paper.written == [(topics.REWARD, 199)]


def test_between_two_episodes_each_gets_its_own(desk: Desk) -> None:
    first = desk.begin(1, 100)
    desk.end(1, 200, now=1.0)
    desk.add(topics.KEYPOINTS, 300, now=1.05)
    second = desk.begin(2, 300, now=1.1)
    desk.add(topics.KEYPOINTS, 195, now=1.15)
    desk.add(topics.KEYPOINTS, 301, now=1.15)
    assert first.written == [(topics.KEYPOINTS, 195)]
    assert second.written == [(topics.KEYPOINTS, 300), (topics.KEYPOINTS, 301)]


def test_an_episode_is_whole_once_nothing_more_comes(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    desk.end(1, 200, now=1.0)
    desk.add(topics.KEYPOINTS, 150, now=1.0 + QUIET - 0.01)
    desk.takes.finish_whole(1.0 + QUIET + 0.01)
    assert desk.done == []
    desk.takes.finish_whole(1.0 + 2 * QUIET)
    assert desk.done == [1]
    assert (paper.end.outcome, paper.end.steps) == ("success", 0)


def test_late_messages_are_waited_for_within_bounds(desk: Desk) -> None:
    desk.begin(1, 100)
    desk.end(1, 200, now=1.0)
    desk.add(topics.KEYPOINTS, 150, now=1.0 + LINGER)
    desk.takes.finish_whole(1.0 + LINGER)
    assert desk.done == [1]


def test_an_episode_without_an_end_is_interrupted_when_the_next_one_begins(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    desk.takes.finish_running()
    assert (paper.end.outcome, paper.end.message) == ("interrupted", UNHEARD)
    assert not desk.takes.running


def test_steps_and_takeovers_are_counted(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    for stamp in (110, 120, 130):
        desk.add(topics.EXECUTED, stamp)
    for stamp, owner in ((110, "policy"), (112, "human"), (114, "human"), (116, "hold"), (118, "human")):
        desk.add(topics.AUTHORITY, stamp, owner=owner)
    desk.end(1, 200, 1.0)
    desk.takes.finish_all("stopped")
    assert (paper.end.steps, paper.end.interventions) == (3, 2)
    assert paper.end.extra == {"queue_bytes_max": "7"}


@pytest.mark.parametrize(("message", "marks"), [("marked by a person", ("failure",)), ("", ())])
def test_a_mark_is_told_from_an_outcome(desk: Desk, message: str, marks: tuple[str, ...]) -> None:
    paper = desk.begin(1, 100)
    desk.end(1, 200, 1.0, "failure", message)
    desk.takes.finish_whole(9.0)
    assert paper.end.marks == marks


def test_joints_of_a_time_that_stands_still_are_kept_once(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    desk.end(1, 200, 1.0)
    for now in (1.0, 1.2, 1.4):
        desk.add(topics.JOINTS, 200, now)
    assert paper.written == [(topics.JOINTS, 200)]
    desk.takes.finish_whole(1.0 + QUIET)
    assert desk.done == [1]


def test_what_has_no_stamp_belongs_to_whoever_is_recorded_now(desk: Desk) -> None:
    desk.add(topics.FAULT, None)
    paper = desk.begin(1, 100)
    desk.add(topics.FAULT, None, now=2.0)
    assert paper.written == [(topics.FAULT, 2_000_000_000)]


def test_the_ring_forgets_what_is_older_than_a_second() -> None:
    ring = Ring()
    for age in (0, RING // 2, RING + 1):
        ring.add(Arrival(topics.JOINTS, age, age, b"x"))
    assert [arrival.stamp for arrival in ring.take_since(0)] == [RING // 2, RING + 1]
    assert list(ring.take_since(0)) == []


def info(number: int | None, sender: bytes = b"a", received: int = 0) -> dict[str, Any]:
    return {
        "publication_sequence_number": number,
        "publisher_gid": {"data": sender},
        "received_timestamp": received,
    }


def lost(arrivals: Arrivals, number: int | None, sender: bytes = b"a") -> int:
    return arrivals.make(topics.FAULT, b"wire", info(number, sender)).lost


def test_what_is_lost_on_its_way_shows_in_the_senders_numbers() -> None:
    arrivals = Arrivals()
    assert [lost(arrivals, number) for number in (7, 8, 11, 12)] == [0, 0, 2, 0]
    assert [lost(arrivals, number, b"another") for number in (3, 5)] == [0, 1]
    assert [lost(arrivals, number, b"unnumbered") for number in (None, None)] == [0, 0]


def test_an_episode_says_what_it_lacks(desk: Desk) -> None:
    paper = desk.begin(1, 100)
    desk.takes.add(Arrival(topics.JOINTS, 110, 0, b"x", lost=3), 0.0)
    desk.takes.finish_all("stopped")
    assert paper.end.dropped == {topics.JOINTS: 3}


def test_the_log_time_is_when_the_transport_had_the_message() -> None:
    arrivals = Arrivals()
    now = time.time_ns()
    early = arrivals.make(topics.FAULT, b"wire", info(1, received=now - 500_000_000)).log_time
    late = arrivals.make(topics.FAULT, b"wire", info(2, received=now)).log_time
    absurd = arrivals.make(topics.FAULT, b"wire", info(3, received=now - 3600 * 1_000_000_000)).log_time
    assert 450_000_000 < late - early < 550_000_000
    assert absurd >= late


@pytest.mark.parametrize(("order", "mark"), [("<", b"\x00\x01\x00\x00"), (">", b"\x00\x00\x00\x00")])
def test_a_stamp_is_read_in_either_byte_order(order: str, mark: bytes) -> None:
    assert header_stamp_of(mark + struct.pack(f"{order}iI", 17, 5) + b"rest") == 17_000_000_005


def test_a_take_claims_both_ends_of_its_time() -> None:
    paper: Any = Paper()
    take = Take(event(1, 100), paper)
    take.ended(event(1, 200, "success"), 0.0)
    claimed = [stamp for stamp in (99, 100, 200, 201) if take.claims(Arrival("/x", stamp, 0, b""))]
    assert claimed == [100, 200]
