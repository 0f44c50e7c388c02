"""Makes episodes for the tests of this folder, and compares what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.runtime import Brain, Step, run_episode
from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraFrame,
    JointState,
    Keypoint,
    Observation,
    Percept,
    RewardEstimate,
    Task,
)
from sinew_data.episode import EpisodeEnd, start_of
from sinew_data.recording import RecordedEpisode, record_episode
from sinew_data.synthetic import Cameras, SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter

SMALL = Cameras(width=32, height=24)


def write_episode(dataset: Path, steps: int = 10, cameras: Cameras = SMALL, **options: object) -> Path:
    """Record a synthetic episode and return its file."""
    scene = SyntheticScene(cameras)
    writer = EpisodeWriter(dataset, scene.start(), **options)  # type: ignore[arg-type]
    write_synthetic(writer, scene, steps)
    return writer.finish(EpisodeEnd("success", steps=steps)).result(timeout=30)


def leave_unfinished(dataset: Path, steps: int = 10, cameras: Cameras = SMALL) -> Path:
    """Record a synthetic episode that nobody finishes and return its file."""
    scene = SyntheticScene(cameras)
    writer = EpisodeWriter(dataset, scene.start())
    write_synthetic(writer, scene, steps)
    return writer.abandon().result(timeout=30)


def same(a: object, b: object) -> bool:
    """Whether two values are equal, arrays and their types bit by bit."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if is_dataclass(a):
        names = [field.name for field in fields(a)]
        return type(a) is type(b) and all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


class Seer:
    """A perception that sees something in three of four frames, and has a feature."""

    def __init__(self) -> None:
        self._looks = 0

    def reset(self, task: Task) -> None:
        self._looks = 0

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        self._looks += 1
        stamp = max(frame.stamp for frame in frames.values())
        if self._looks % 4 == 0:
            return Percept(stamp)
        place = np.array([joints.position[0], 0.1, 0.02])
        bowl = Keypoint(place, np.array([3.0, 4.0]), 0.5, 0.25, np.array([0.1, 0.2, 0.3]))
        return Percept(stamp, {"cube": Keypoint(place), "bowl": bowl}, {"mean": np.arange(3.0)})


class Planner:
    """An affordance model."""

    def propose(self, observation: Observation, instruction: str) -> Affordance:
        way = np.arange(6.0).reshape(2, 3)
        return Affordance(
            observation.stamp, instruction, "cube", way, way[-1], "planner", np.array([True, False])
        )


class Judge:
    """A reward model."""

    def reset(self, task: Task) -> None:
        pass

    def estimate(self, observation: Observation) -> RewardEstimate:
        value = float(observation.joints.position[0])
        return RewardEstimate(observation.stamp, value, progress=0.5, terms={"first": value})


class Mover:
    """A policy, or a person who helps between two moments."""

    def __init__(self, begin: int = 0, end: int = 1 << 62) -> None:
        self._begin, self._end, self._asked = begin, end, 0

    def reset(self, task: Task) -> None:
        pass

    def infer(self, observation: Observation) -> ActionChunk:
        self._asked += 1
        position = observation.joints.position[None] + 0.002
        if not self._begin < self._asked <= self._end:
            return ActionChunk(observation.stamp, 0.05, position[:0])
        return ActionChunk(observation.stamp, 0.05, position)


def record_live(dataset: Path, hardware: Hardware, seed: int = 3) -> tuple[Path, list[Step]]:
    """Run an episode with a takeover in one process, record it, and return file and live steps."""
    station = hardware.open_station("stack")
    steps: list[Step] = []
    recorded: list[RecordedEpisode] = []

    def on_step(step: Step) -> None:
        if not recorded:
            start = start_of(hardware, step.observation.task, seed, policy="mover")
            recorded.append(record_episode(dataset, hardware, start))
        steps.append(step)
        recorded[0].add_step(step)

    brain = Brain(Seer(), Planner(), Judge(), Mover())
    result = run_episode(station, hardware, brain, seed=seed, on_step=on_step, human=Mover(4, 7))
    station.close()
    return recorded[0].finish(result.outcome, result.message).result(timeout=30), steps
