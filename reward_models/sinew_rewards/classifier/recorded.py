"""Frames from recorded episodes: each is read once, shrunk, and kept in a cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.files import cache_folder
from sinew_core.types import CameraFrame, ImageArray
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.reader import Episode, open_episode
from sinew_data.summary import EpisodeSummary

from sinew_rewards.classifier.frames import SUFFIX, EpisodeFacts, EpisodeFrames, load_frames, save_frames
from sinew_rewards.classifier.pictures import CameraView, PictureSpec, missing_cameras, pictures_of

SIZE = 128  # px
EVERY = 3  # control periods from frame to frame
DENSE = 40  # control periods before the end, of which every one is kept
Crop = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at in recordings; no cameras means all that every episode has."""

    cameras: tuple[str, ...] = ()
    size: int = 0  # px; 0: SIZE
    crops: tuple[tuple[str, Crop], ...] = ()
    task: str = ""  # empty: the only one there is


@dataclass(frozen=True, slots=True)
class Read:
    """An episode that was read, or why it could not be."""

    name: str
    frames: EpisodeFrames | None = None
    problem: str = ""


def default_cache() -> Path:
    """Return the folder that keeps the pictures."""
    return cache_folder("classifier")


def recorded_frames(path: Path, wanted: Wanted, cache: Path) -> Iterator[Read]:
    """Yield the frames of a dataset's episodes, from the cache where they are there.

    ConfigError for a camera that no episode has, or several tasks.
    """
    summaries, problems = _chosen(path, wanted)
    yield from problems
    cameras = _cameras(path, summaries, wanted)
    for summary in summaries:
        try:
            with open_episode(summary.path) as episode:
                yield Read(summary.name, _frames(episode, cameras, wanted, cache))
        except EpisodeError as error:
            yield Read(summary.name, problem=str(error))


def count_episodes(path: Path, wanted: Wanted) -> int:
    """Return how many episodes `recorded_frames` will yield."""
    return sum(len(found) for found in _chosen(path, wanted))


def _chosen(path: Path, wanted: Wanted) -> tuple[list[EpisodeSummary], list[Read]]:
    """Return the episodes of the task, and those that are none."""
    entries = list(Dataset(path).entries())
    summaries = [entry.summary for entry in entries if entry.summary is not None]
    problems = [Read(entry.name, problem=entry.problem) for entry in entries if entry.summary is None]
    tasks = sorted({summary.start.task for summary in summaries})
    if wanted.task and wanted.task not in tasks and summaries:
        raise ConfigError(
            f"{path}: no episode of the task '{wanted.task}'.{did_you_mean(wanted.task, tasks)}"
        )
    if not wanted.task and len(tasks) > 1:
        raise ConfigError(f"{path}: has episodes of several tasks; choose one by --task: {', '.join(tasks)}.")
    return [summary for summary in summaries if wanted.task in ("", summary.start.task)], problems


def _cameras(path: Path, summaries: Collection[EpisodeSummary], wanted: Wanted) -> tuple[str, ...]:
    """Return the cameras to look at; a wanted one that an episode lacks is an error."""
    if not summaries:
        return wanted.cameras
    common = set.intersection(*(set(summary.cameras) for summary in summaries))
    every = set.union(*(set(summary.cameras) for summary in summaries))
    for name in (*wanted.cameras, *(camera for camera, _ in wanted.crops)):
        if name not in every:
            raise ConfigError(f"{path}: no episode has a camera '{name}'.{did_you_mean(name, every)}")
        if name not in common:
            without = next(summary.name for summary in summaries if name not in summary.cameras)
            raise ConfigError(
                f"{path}: episode {without} has no camera '{name}'.{did_you_mean(name, common)}"
            )
    if not common:
        raise ConfigError(f"{path}: the episodes have no camera in common; there is nothing to look at.")
    return wanted.cameras or tuple(sorted(common))


def _frames(episode: Episode, cameras: tuple[str, ...], wanted: Wanted, cache: Path) -> EpisodeFrames:
    path = cache / f"{episode.summary.name}-{_key(episode.path, cameras, wanted)}{SUFFIX}"
    if path.is_file():
        return load_frames(path)
    frames = _read(episode, cameras, wanted, path)
    save_frames(frames)
    return load_frames(path)


def _key(path: Path, cameras: tuple[str, ...], wanted: Wanted) -> str:
    """Return a short name of a file's state and of what is looked at in it."""
    state = path.stat()
    text = repr((state.st_size, state.st_mtime_ns, cameras, wanted.size or SIZE, wanted.crops, EVERY, DENSE))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(episode: Episode, cameras: tuple[str, ...], wanted: Wanted, path: Path) -> EpisodeFrames:
    """Read an episode's frames; a control period that lacks a camera is left out."""
    spec: PictureSpec | None = None
    indices: list[int] = []
    pictures: list[ImageArray] = []
    dense_from = episode.summary.end.steps - DENSE
    for step in episode.steps(seen=False):
        frames = step.observation.frames
        if step.index % EVERY and step.index < dense_from:
            continue
        if any(name not in frames for name in cameras):
            continue
        spec = spec or _spec(frames, cameras, wanted)
        assert not missing_cameras(frames, spec)
        indices.append(step.index)
        pictures.append(pictures_of(frames, spec))
    if spec is None:
        raise EpisodeError(f"{episode.path}: no control period has a frame of {' and '.join(cameras)}.")
    return EpisodeFrames(path, _facts(episode.summary), spec, np.array(indices, np.int32), np.stack(pictures))


def _spec(frames: Mapping[str, CameraFrame], cameras: tuple[str, ...], wanted: Wanted) -> PictureSpec:
    crops = dict(wanted.crops)
    views = []
    for name in cameras:
        height, width = frames[name].rgb.shape[:2]
        try:
            views.append(CameraView(name, width, height, crops.get(name, (0, 0, width, height))))
        except ValueError as error:
            raise ConfigError(f"--crop: {error}") from error
    return PictureSpec(tuple(views), wanted.size or SIZE)


def _facts(summary: EpisodeSummary) -> EpisodeFacts:
    start, end = summary.start, summary.end
    return EpisodeFacts(
        name=summary.name,
        robot=start.robot,
        hardware=start.hardware,
        task=start.task,
        instruction=start.instruction,
        outcome=end.outcome,
        steps=end.steps,
        seed=start.seed,
        mark=end.marks[-1] if end.marks else "",
    )
