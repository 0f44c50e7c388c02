"""Kills a recorder again and again, and looks at what is left of its episodes."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sinew_core.types import NANOSECONDS

from sinew_data import topics
from sinew_data.errors import EpisodeError
from sinew_data.reader import open_episode
from sinew_data.repair import repair_file, unfinished
from sinew_data.synthetic import Cameras

STEPS = 25  # control periods an episode, at 30 Hz
LONGEST = 4.0  # s until the kill
# px: of large images chunks are full in milliseconds, of small ones the time writes them
SIZES = ((640, 480), (64, 48))


@dataclass(slots=True)
class Told:
    """What a child said before it died."""

    began: list[str] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)  # ns, stamp by episode
    last: dict[str, int] = field(default_factory=dict)  # ns
    finished: dict[str, int] = field(default_factory=dict)  # steps


@dataclass(slots=True)
class Losses:
    """What one kill cost."""

    finished: int = 0  # episodes that were finished
    finished_lost: list[str] = field(default_factory=list)  # those that cannot be read in full, and why
    lost: list[float] = field(default_factory=list)  # s, of each interrupted episode


def kill_once(folder: Path, rng: random.Random, size: tuple[int, int]) -> Losses:
    """Record images of a size into a new folder, kill the recorder at a random moment, look what is left."""
    arguments = map(str, (folder, STEPS, *size))
    command = [sys.executable, "-m", "sinew_data.durability_child", *arguments]
    told = Told()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        begun = threading.Event()
        listener = threading.Thread(target=_listen, args=(child.stdout, told, begun))
        listener.start()
        if not begun.wait(timeout=60.0):
            child.kill()
            raise RuntimeError("the recorder did not begin within 60 s")
        try:
            child.wait(timeout=rng.uniform(0.0, LONGEST))
        except subprocess.TimeoutExpired:
            child.kill()
        else:
            raise RuntimeError(f"the recorder ended by itself with {child.returncode}")
        listener.join()
    losses = assess(folder, told)
    shutil.rmtree(folder)
    return losses


def _listen(lines: IO[str], told: Told, begun: threading.Event) -> None:
    for line in lines:
        try:
            facts = json.loads(line)
        except ValueError:
            return  # killed within the line
        if "began" in facts:
            told.began.append(facts["began"])
        elif "stamp" in facts:
            told.first.setdefault(facts["name"], facts["stamp"])
            told.last[facts["name"]] = facts["stamp"]
            begun.set()
        else:
            told.finished[facts["finished"]] = facts["steps"]


def assess(folder: Path, told: Told) -> Losses:
    """Repair a folder and compare it with what its recorder said."""
    for source in unfinished(folder):
        repair_file(folder, source)
    losses = Losses(finished=len(told.finished))
    for name in told.began:
        path = folder / "episodes" / f"{name}.mcap"
        if name in told.finished:
            losses.finished_lost += [f"{name}: {why}" for why in _lacks(path, told.finished[name])]
        elif name in told.last:
            losses.lost.append(_seconds_lost(path, told.first[name], told.last[name]))
    return losses


def _lacks(path: Path, steps: int) -> Iterator[str]:
    """Yield what a finished episode lacks of its messages."""
    images = [of(name) for name in Cameras().names for of in (topics.color_topic, topics.depth_topic)]
    wanted = dict.fromkeys((topics.JOINTS, topics.EXECUTED, topics.REWARD, *images), steps)
    found = dict.fromkeys(wanted, 0)
    try:
        with open_episode(path) as episode:
            for message in episode.messages(wanted):
                found[message.topic] += 1
    except EpisodeError as error:
        yield str(error)
        return
    if found != wanted:
        yield f"messages by topic: {found}"


def _seconds_lost(path: Path, first: int, told: int) -> float:
    """Return how much of an interrupted episode is gone; all of it, if there is no file."""
    try:
        with open_episode(path) as episode:
            stamps = [message.publish_time for message in episode.raw_messages([topics.EXECUTED])]
    except EpisodeError:
        stamps = []
    last = max(stamps, default=first)
    return max(0, told - last) / NANOSECONDS
