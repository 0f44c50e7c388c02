"""Looks through an episode for what a learner would stumble over: gaps, losses, stamps that go back."""

from __future__ import annotations

import array
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from sinew_core.types import NANOSECONDS

from sinew_data import topics
from sinew_data.errors import EpisodeError
from sinew_data.reader import Episode, RawMessage, open_episode
from sinew_data.summary import EpisodeSummary

REQUIRED = (topics.JOINTS, topics.EXECUTED, topics.EPISODE)
GAP = 3  # times the usual interval of a topic, and longer than observations may be old


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the stamps of one topic say."""

    count: int
    rate: float  # Hz, from the median interval; 0 for fewer than two messages
    longest: float  # s between two messages
    backwards: int  # stamps that lie before the one before
    lost: int  # messages that the recorder had and could not write


@dataclass(frozen=True, slots=True)
class Inspection:
    """An episode's facts and problems; the problems are sentences, none of them if all is well."""

    path: Path
    summary: EpisodeSummary | None
    facts: Mapping[str, TopicFacts]
    problems: tuple[str, ...]


def inspect(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Inspection:
    """Read an episode in full and say what it is like; `on_bytes` hears how much was read."""
    summary: EpisodeSummary | None = None
    stamps: dict[str, _Stamps] = {}
    try:
        with open_episode(path) as episode:
            summary = episode.summary
            for message in episode.raw_messages():
                stamps.setdefault(message.topic, _Stamps()).add(message)
                on_bytes(len(message.data))
            missing = _missing(episode)
    except EpisodeError as error:
        return Inspection(path, summary, {}, (str(error).removeprefix(f"{path}: "),))
    facts = {topic: found.facts() for topic, found in stamps.items()}
    problems = [*missing, *_counted(summary, facts)]
    for topic, fact in facts.items():
        problems += _topic_problems(topic, fact, summary.start.max_age)
    return Inspection(path, summary, facts, tuple(problems))


def _missing(episode: Episode) -> list[str]:
    """Return which topics should be there and are not, by the hardware file in the episode."""
    summary = episode.summary
    wanted = list(REQUIRED)
    config = yaml.safe_load(episode.attachments().get("hardware.yaml", b"")) or {}
    cameras = config.get("cameras", {}) if isinstance(config, dict) else {}
    for name, camera in cameras.items():
        if camera.get("every", 1):
            wanted.append(topics.color_topic(name))
            wanted += [topics.depth_topic(name)] if camera.get("depth", True) else []
    return [f"{topic}: no message" for topic in wanted if not summary.counts.get(topic)]


def _counted(summary: EpisodeSummary, facts: Mapping[str, TopicFacts]) -> list[str]:
    """Return where the summary and the messages differ, and what the recorder says it dropped."""
    problems = [
        f"{topic}: {facts[topic].count if topic in facts else 0} messages, the summary says {count}"
        for topic, count in summary.counts.items()
        if count != (facts[topic].count if topic in facts else 0)
    ]
    for topic, count in summary.end.dropped.items():
        problems.append(f"{topic}: {count} messages dropped while recording")
    return problems


def _topic_problems(topic: str, fact: TopicFacts, max_age: float) -> list[str]:
    problems = []
    if fact.backwards:
        problems.append(f"{topic}: {fact.backwards} stamps go backwards")
    if fact.lost:
        problems.append(f"{topic}: {fact.lost} messages missing by their numbers")
    if _periodic(topic) and fact.rate and fact.longest > max(max_age, GAP / fact.rate):
        problems.append(f"{topic}: a gap of {fact.longest:.2f} s at {fact.rate:.1f} Hz")
    return problems


def _periodic(topic: str) -> bool:
    return topic in (topics.JOINTS, topics.EXECUTED) or topics.camera_of(topic) is not None


class _Stamps:
    """The stamps of a topic as they come."""

    def __init__(self) -> None:
        self._stamp = self._highest = -1
        self._backwards = 0
        self._intervals = array.array("q")

    def add(self, message: RawMessage) -> None:
        """Take the next message."""
        if self._stamp >= 0:
            interval = message.publish_time - self._stamp
            self._backwards += interval < 0
            self._intervals.append(interval)
        self._stamp, self._highest = message.publish_time, max(self._highest, message.sequence)

    def facts(self) -> TopicFacts:
        """Return what the stamps say."""
        intervals, count = self._intervals, len(self._intervals) + (self._stamp >= 0)
        usual = statistics.median(intervals) if intervals else 0
        return TopicFacts(
            count=count,
            rate=NANOSECONDS / usual if usual > 0 else 0.0,
            longest=max(intervals, default=0) / NANOSECONDS,
            backwards=self._backwards,
            lost=max(0, self._highest + 1 - count),
        )
