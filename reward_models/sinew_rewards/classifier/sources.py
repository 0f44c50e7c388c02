"""Which episodes a command line means: recorded datasets, and folders of frames from a simulator."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_data.console import progress
from sinew_data.layout import EPISODES, UNFINISHED

from sinew_rewards.classifier.frames import EpisodeFrames, frame_files, load_frames, one_kind
from sinew_rewards.classifier.labels import LabelRule
from sinew_rewards.classifier.pictures import PictureSpec
from sinew_rewards.classifier.recorded import (
    Crop,
    Wanted,
    count_episodes,
    default_cache,
    recorded_frames,
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All episodes that were found, of one kind, and sentences about those that cannot be read."""

    episodes: tuple[EpisodeFrames, ...]
    spec: PictureSpec
    problems: tuple[str, ...]


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where the episodes are, and what counts as success in them."""
    rule = LabelRule()
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA", help="datasets, or folders of frames")
    parser.add_argument("--task", default="", help="of the episodes, where a dataset has several")
    parser.add_argument(
        "--positives",
        type=int,
        default=rule.positives,
        metavar="N",
        help=f"the last N control periods of a successful episode show success ({rule.positives})",
    )
    parser.add_argument(
        "--gap", type=int, default=rule.gap, metavar="N", help=f"before them, left out ({rule.gap})"
    )
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), metavar="DIR", help="keeps the pictures of recordings"
    )


def label_rule(arguments: argparse.Namespace) -> LabelRule:
    """Return what `--positives` and `--gap` say; raises ConfigError."""
    try:
        return LabelRule(arguments.positives, arguments.gap)
    except ValueError as error:
        raise ConfigError(f"--positives, --gap: {error}") from error


def crop(text: str) -> tuple[str, Crop]:
    """Read `top=80,40,240,200`."""
    name, _, box = text.partition("=")
    numbers = box.split(",")
    if not name or len(numbers) != 4 or not all(number.strip().isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(f"expected CAMERA=left,top,right,bottom in px, got '{text}'")
    left, top, right, bottom = (int(number) for number in numbers)
    return name, (left, top, right, bottom)


def gather(paths: Sequence[Path], wanted: Wanted, cache: Path) -> Gathered:
    """Read every episode, with a progress bar on a terminal; ConfigError where there is none."""
    episodes: list[EpisodeFrames] = []
    problems: list[str] = []
    for path in paths:
        if frame_files(path):
            episodes += [_only(load_frames(file), wanted) for file in frame_files(path)]
        elif (path / EPISODES).is_dir() or (path / UNFINISHED).is_dir():
            _read_dataset(path, wanted, cache, episodes, problems)
        else:
            what = "has neither episodes/ nor frames in it" if path.is_dir() else "does not exist"
            raise ConfigError(f"{path} {what}; `sinew classifier collect` says how to make some.")
    if not episodes:
        why = f": {problems[0]}" if problems else ""
        raise ConfigError(f"no episodes in {', '.join(map(str, paths))}{why}")
    _check_names(episodes)
    return Gathered(tuple(episodes), one_kind(episodes), tuple(problems))


def _read_dataset(
    path: Path, wanted: Wanted, cache: Path, episodes: list[EpisodeFrames], problems: list[str]
) -> None:
    with progress() as bar:
        task = bar.add_task("reading episodes", total=count_episodes(path, wanted))
        for read in recorded_frames(path, wanted, cache):
            if read.frames is None:
                problems.append(read.problem)
            else:
                episodes.append(read.frames)
            bar.advance(task)


def _only(frames: EpisodeFrames, wanted: Wanted) -> EpisodeFrames:
    """Return the frames of the wanted cameras alone."""
    spec = frames.spec
    there = {view.name: view.crop for view in spec.views}
    other_crop = any(name in there and there[name] != box for name, box in wanted.crops)
    if other_crop or wanted.size not in (0, spec.size):
        raise ConfigError(
            f"{frames.path}: its pictures are {spec.size} px and cropped for good; collect them anew with "
            "another --size, and leave out --crop."
        )
    if not wanted.cameras or wanted.cameras == spec.cameras:
        return frames
    for name in wanted.cameras:
        if name not in spec.cameras:
            raise ConfigError(f"{frames.path}: has no camera '{name}'.{did_you_mean(name, spec.cameras)}")
    places = [spec.cameras.index(name) for name in wanted.cameras]
    first = places[0]
    pictures = frames.pictures[:, first : first + 1] if len(places) == 1 else frames.pictures[:, places]
    views = tuple(spec.views[place] for place in places)
    return replace(frames, spec=PictureSpec(views, spec.size), pictures=np.asanyarray(pictures))


def _check_names(episodes: Sequence[EpisodeFrames]) -> None:
    """Raise ConfigError for two episodes of one name: the same one could teach and test."""
    seen: dict[str, Path] = {}
    for item in episodes:
        if item.facts.name in seen:
            raise ConfigError(
                f"episode {item.facts.name} is there twice: {seen[item.facts.name]} and {item.path}."
            )
        seen[item.facts.name] = item.path
