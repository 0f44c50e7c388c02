"""Trajectories from a dataset of recordings; what was computed of an episode is kept in a cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, ImageArray, Task
from sinew_data.console import progress
from sinew_data.dataset import Dataset
from sinew_data.reader import Episode, open_episode
from sinew_data.same_robot import check_robot
from sinew_data.summary import EpisodeSummary

from sinew_rewards.classifier.pictures import CameraView, PictureSpec, pictures_of
from sinew_rewards.files import read_arrays, write_arrays
from sinew_rewards.learned.features import FeatureMap, make_features
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.report.episodes import EpisodeSet, Wanted, hardware_of

VERSION = 1  # of what is kept
ENDINGS = {"success": True, "failure": False, "timeout": False}  # other outcomes leave it unknown


@dataclass(frozen=True, slots=True)
class _Reading:
    """What every episode of a dataset is read with."""

    hardware: Hardware
    features: FeatureMap
    wanted: Wanted
    cache: Path


def recorded_episodes(path: Path, wanted: Wanted, cache: Path) -> EpisodeSet:
    """Return the episodes of a dataset; ConfigError for several tasks or where no episode can be used.

    Control periods at which features are not known yet, or a picture is missing, are left out and counted.
    """
    entries = list(Dataset(path).entries())
    problems = [entry.problem for entry in entries if entry.summary is None]
    summaries = of_one_task(path, [e.summary for e in entries if e.summary is not None], wanted.task)
    if not summaries:
        raise ConfigError(f"{path}: has no episode{': ' + problems[0] if problems else '.'}")
    hardware = hardware_of(wanted.hardware or summaries[0].start.hardware, str(path))
    reading = _Reading(hardware, make_features(wanted.features, hardware), wanted, cache)
    found, unknown = _read_all(summaries, reading, problems)
    if not found:
        raise ConfigError(f"{path}: none of its {len(entries)} episodes can be used: {problems[0]}")
    return EpisodeSet(
        episodes=Episodes(found),
        features=wanted.features,
        names=reading.features.names,
        tag=reading.features.tag,
        robot=hardware.robot.name,
        task=summaries[0].start.task,
        hardware=hardware,
        source=path,
        recorded=True,
        unknown_rows=unknown,
        problems=tuple(problems),
    )


def of_one_task(path: Path, summaries: Sequence[EpisodeSummary], task: str) -> list[EpisodeSummary]:
    """Return the episodes of a task, by default of the only one; ConfigError for another or for several."""
    tasks = sorted({summary.start.task for summary in summaries})
    if task and task not in tasks and summaries:
        raise ConfigError(f"{path}: no episode of the task '{task}'.{did_you_mean(task, tasks)}")
    if not task and len(tasks) > 1:
        raise ConfigError(f"{path}: has episodes of several tasks; choose one by --task: {', '.join(tasks)}.")
    return [summary for summary in summaries if task in ("", summary.start.task)]


def _read_all(
    summaries: Sequence[EpisodeSummary], reading: _Reading, problems: list[str]
) -> tuple[list[Trajectory], int]:
    """Return the episodes that can be used and how many rows were left out; add to the problems."""
    found, unknown = [], 0
    with progress() as bar:
        for summary in bar.track(summaries, description="reading episodes"):
            try:
                with open_episode(summary.path) as episode:
                    trajectory, left_out = _one(episode, reading)
            except (ConfigError, ValueError) as error:
                problems.append(str(error))
                continue
            found.append(trajectory)
            unknown += left_out
    return found, unknown


def _one(episode: Episode, reading: _Reading) -> tuple[Trajectory, int]:
    """Return an episode as a trajectory, from the cache where it is there, and how many rows it lacks."""
    check_robot(str(episode.path), episode.attachments(), reading.hardware.robot)
    path = reading.cache / f"{episode.summary.name}-{_key(episode.path, reading)}.safetensors"
    if not path.is_file():
        arrays, left_out = _arrays(episode, reading)
        write_arrays(path, arrays, {"left_out": left_out})
    arrays, facts = read_arrays(path, "`sinew reward`")
    summary = episode.summary
    trajectory = Trajectory(
        name=summary.name,
        stamps=arrays["stamps"],
        features=arrays["features"],
        success=ENDINGS.get(summary.end.outcome),
        pictures=arrays.get("pictures"),
        tree=summary.start.extra.get("tree", ""),
    )
    return trajectory, int(facts["left_out"])


def _key(path: Path, reading: _Reading) -> str:
    """Return a short name of a file's state and of everything that its rows depend on."""
    state, robot, features = path.stat(), reading.hardware.robot, reading.features
    text = repr((VERSION, state.st_size, state.st_mtime_ns, features.tag, features.names, reading.wanted))
    parts = (text.encode(), reading.hardware.path.read_bytes(), robot.urdf.read_bytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def _arrays(episode: Episode, reading: _Reading) -> tuple[dict[str, npt.NDArray[Any]], int]:
    """Read an episode; ValueError where no row is known."""
    start, camera = episode.summary.start, reading.wanted.camera
    reading.features.reset(Task(start.task, start.instruction, start.max_steps))
    stamps, rows, pictures, left_out = [], [], [], 0
    for step in episode.steps(frames=reading.features.needs_frames or bool(camera)):
        features = reading.features.of(step.observation)
        frame = step.observation.frames.get(camera)
        if features is None or (camera and frame is None):
            left_out += 1
            continue
        stamps.append(step.observation.stamp)
        rows.append(features)
        if frame is not None:
            pictures.append(picture_of(camera, frame, reading.wanted.size))
    if not rows:
        looks = reading.features.needs_frames or camera
        seen = f" Its cameras: {', '.join(episode.summary.cameras)}." if looks else ""
        raise ValueError(f"{episode.path}: in no control period are all features known.{seen}")
    arrays: dict[str, npt.NDArray[Any]] = {"stamps": np.array(stamps, np.int64)}
    arrays["features"] = np.stack(rows).astype(np.float32)
    if pictures:
        arrays["pictures"] = np.stack(pictures)
    return arrays, left_out


def picture_of(camera: str, frame: CameraFrame, size: int) -> ImageArray:
    """Return a frame shrunk to a square picture (size, size, 3)."""
    height, width = frame.rgb.shape[:2]
    spec = PictureSpec((CameraView.whole(camera, width, height),), size)
    return np.asarray(pictures_of({camera: frame}, spec)[0])
