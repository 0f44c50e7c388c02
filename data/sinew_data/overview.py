"""What an episode is like: who drove when, what it was worth, what safety changed, its topics and cameras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sinew_core.authority import HUMAN
from sinew_core.types import NANOSECONDS, FloatArray

from sinew_data import reasons, topics
from sinew_data.errors import EpisodeError
from sinew_data.export.passes import read_steps
from sinew_data.inspection import TopicFacts, inspect
from sinew_data.intrinsics import Intrinsics, read_intrinsics
from sinew_data.reader import Episode, RawMessage, open_episode
from sinew_data.steps import RecordedStep
from sinew_data.summary import EpisodeSummary


@dataclass(frozen=True, slots=True)
class Run:
    """Steps in a row with the same owner; both ends belong to it."""

    owner: str
    first: int
    last: int
    begin: float  # s since the episode's first step
    end: float  # s, when the step after it begins


@dataclass(frozen=True, slots=True)
class Timeline:
    """An episode's steps; arrays are (steps,)."""

    start: int = 0  # ns, the first step
    time: FloatArray = field(default_factory=lambda: np.zeros(0))  # s since then
    reward: FloatArray = field(default_factory=lambda: np.zeros(0))  # NaN where there is none
    changed: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))  # by safety
    seconds: float = 0.0  # to the end of the last step
    runs: tuple[Run, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)  # steps in which each had its say
    terms: Mapping[str, float] = field(default_factory=dict)  # means
    frames: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)  # stamps by camera, ns

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.time)

    @property
    def interventions(self) -> tuple[Run, ...]:
        """The runs in which a person drove."""
        return tuple(run for run in self.runs if run.owner == HUMAN)

    def steps_of(self, owner: str) -> int:
        """Return how many steps an owner had."""
        return sum(run.last - run.first + 1 for run in self.runs if run.owner == owner)


@dataclass(frozen=True, slots=True)
class Overview:
    """All that `sinew data show` tells of an episode."""

    summary: EpisodeSummary
    timeline: Timeline
    topics: Mapping[str, TopicFacts]
    cameras: Mapping[str, Intrinsics | None]  # None where none were recorded
    problems: tuple[str, ...]
    damaged: bool = False  # it could not be read to its end

    def depth(self, camera: str) -> bool:
        """Whether a camera has depth."""
        return bool(self.summary.counts.get(topics.depth_topic(camera)))

    def rate(self, camera: str) -> float:
        """Return a camera's frames a second, 0 where that is unknown."""
        facts = self.topics.get(topics.color_topic(camera))
        return 0.0 if facts is None else facts.rate


def read_overview(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Overview:
    """Read an episode; EpisodeError if it is none. What is damaged inside is among the problems."""
    with open_episode(path) as episode:
        found, damage = inspect(path), ""
        timeline, cameras = Timeline(), dict.fromkeys(episode.summary.cameras)
        try:
            timeline = read_timeline(episode, on_bytes)
            cameras |= read_intrinsics(episode)
        except EpisodeError as error:
            damage = str(error).removeprefix(f"{path}: ")
        problems = dict.fromkeys((*([damage] if damage else []), *found.problems))
        return Overview(
            episode.summary, timeline, found.facts, cameras, tuple(problems), damaged=bool(damage)
        )


def read_timeline(episode: Episode, on_bytes: Callable[[int], None] = lambda _: None) -> Timeline:
    """Read an episode's steps and its frames' stamps."""
    cameras = {topics.color_topic(name): name for name in episode.summary.cameras}
    frames: dict[str, list[int]] = {name: [] for name in cameras.values()}

    def note(raw: RawMessage) -> None:
        frames[cameras[raw.topic]].append(raw.publish_time)

    steps = [step for step in read_steps(episode, cameras, note, on_bytes) if step.executed is not None]
    stamps = {name: np.unique(np.array(values, np.int64)) for name, values in frames.items() if values}
    if not steps:
        return Timeline(frames=stamps)
    period = episode.summary.start.control_period
    start = steps[0].observation.stamp
    time = np.array([(step.observation.stamp - start) / NANOSECONDS for step in steps])
    return Timeline(
        start=start,
        time=time,
        reward=np.array([np.nan if step.reward is None else step.reward.value for step in steps]),
        changed=np.array([bool(step.executed and reasons.changed(step.executed.reasons)) for step in steps]),
        seconds=float(time[-1]) + period,
        runs=_runs(steps, time, float(time[-1]) + period),
        reasons=_reasons(steps),
        terms=_term_means(steps),
        frames=stamps,
    )


def _runs(steps: Sequence[RecordedStep], time: FloatArray, end: float) -> tuple[Run, ...]:
    runs: list[Run] = []
    for owner, group in groupby(range(len(steps)), key=lambda i: steps[i].owner):
        first, *others = group
        last = others[-1] if others else first
        until = end if last + 1 == len(steps) else float(time[last + 1])
        runs.append(Run(owner, first, last, float(time[first]), until))
    return tuple(runs)


def _reasons(steps: Sequence[RecordedStep]) -> dict[str, int]:
    """Count steps by the names of what changed or refused their commands."""
    counts: Counter[str] = Counter()
    for step in steps:
        assert step.executed is not None
        counts.update(reasons.names(step.executed.reasons))
    return dict(counts.most_common())


def _term_means(steps: Sequence[RecordedStep]) -> dict[str, float]:
    """Return each reward term's mean over the steps that have it."""
    rewards = [step.reward for step in steps if step.reward is not None]
    names = dict.fromkeys(name for reward in rewards for name in reward.terms)
    return {
        name: float(np.mean([reward.terms[name] for reward in rewards if name in reward.terms]))
        for name in names
    }
