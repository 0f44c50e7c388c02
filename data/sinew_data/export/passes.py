"""One pass over an episode that yields numbers and frames; images are decoded where they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError

from sinew_data.export.grid import Stamps
from sinew_data.export.request import OnBytes
from sinew_data.messages import ImageView, image_from_wire, rgb_from_msg
from sinew_data.reader import Episode, RawMessage, damage_of
from sinew_data.steps import RecordedStep, Steps

OnImage = Callable[[RawMessage], None]


@dataclass(frozen=True, slots=True)
class Frame:
    """An image that some rows of an export show."""

    topic: str
    row: int  # the first row that shows it
    repeats: int  # how many show it
    pixels: npt.NDArray[Any]  # (h, w, 3) uint8, or depth (h, w) uint16 in mm


def read_steps(
    episode: Episode, images: Collection[str], on_image: OnImage, on_bytes: OnBytes
) -> Iterator[RecordedStep]:
    """Yield an episode's steps, without frames; `on_image` gets the messages of the image topics.

    Keypoints are the newest of each moment, as an export wants them. `on_bytes` hears the file's size in
    parts, as the pass gets on.
    """
    steps = Steps(episode.summary, frames=False, seen=False)
    share = _Share(episode, on_bytes)
    for raw in episode.raw_messages((*steps.topics, *images)):
        if raw.topic in images:
            on_image(raw)  # not within damage_of: a disk that is full is no damage of the episode
        else:
            with damage_of(episode.path):
                found = list(steps.take(raw))
            yield from found
        share.tell(raw.log_time)
    with damage_of(episode.path):
        rest = list(steps.rest())
    yield from rest
    share.end()


def read_frames(
    episode: Episode, chosen: Mapping[str, Stamps], on_bytes: OnBytes = lambda _: None
) -> Iterator[Frame]:
    """Yield the frames with the chosen stamps, in order of the rows within each image topic."""
    feed = FrameFeed(episode, chosen)
    share = _Share(episode, on_bytes)
    for raw in episode.raw_messages(list(chosen)):
        yield from feed.take(raw)
        share.tell(raw.log_time)
    feed.check_end()
    share.end()


class FrameFeed:
    """Picks frames by their stamps and puts them into the order of the rows; few wait at any time."""

    def __init__(self, episode: Episode, chosen: Mapping[str, Stamps]) -> None:
        self._path = episode.path
        self._queues = {topic: _Queue(stamps) for topic, stamps in chosen.items()}

    def take(self, raw: RawMessage) -> Iterator[Frame]:
        """Take an image message; yield the frames whose turn it is."""
        queue = self._queues[raw.topic]
        queue.add(raw)
        for row, repeats, message in queue.due():
            with damage_of(self._path):
                pixels = pixels_of(image_from_wire(message.data))
            yield Frame(raw.topic, row, repeats, pixels)

    def check_end(self) -> None:
        """Raise ConfigError if a chosen frame has not come."""
        for topic, queue in self._queues.items():
            if not queue.done:
                raise ConfigError(f"{self._path}: {topic}: a frame has gone that was there before.")


class _Queue:
    """The chosen frames of one topic: those to come, in order, and those that came early."""

    def __init__(self, stamps: Stamps) -> None:
        self._wanted, self._first, self._repeats = np.unique(stamps, return_index=True, return_counts=True)
        self._set = set(self._wanted.tolist())
        self._next = 0
        self._early: dict[int, RawMessage] = {}

    @property
    def done(self) -> bool:
        """Whether all have come."""
        return self._next == len(self._wanted)

    def add(self, raw: RawMessage) -> None:
        """Keep a message, if it is wanted."""
        if raw.publish_time in self._set:
            self._early[raw.publish_time] = raw

    def due(self) -> Iterator[tuple[int, int, RawMessage]]:
        """Yield first row, repeats and message of those whose turn it is."""
        while not self.done and (raw := self._early.pop(int(self._wanted[self._next]), None)) is not None:
            at, self._next = self._next, self._next + 1
            yield int(self._first[at]), int(self._repeats[at]), raw


def pixels_of(view: ImageView) -> npt.NDArray[Any]:
    """Return colour (h, w, 3) or depth (h, w) in whole mm, as recorded; ValueError for anything else."""
    if view.encoding == "rgb8":
        return rgb_from_msg(view)
    if view.encoding != "16UC1" or view.step != 2 * view.width:
        raise ValueError(f"image of encoding '{view.encoding}', expected rgb8 or 16UC1 without padding.")
    millimetres = np.frombuffer(view.data, ">u2" if view.is_bigendian else "<u2").astype(np.uint16)
    return millimetres.reshape(view.height, view.width)


class _Share:
    """Tells how much of a file was read, by the log times that have passed."""

    def __init__(self, episode: Episode, on_bytes: OnBytes) -> None:
        summary = episode.summary
        self._first, self._span = summary.first, max(summary.last - summary.first, 1)
        self._size, self._told, self._on_bytes = summary.size, 0, on_bytes

    def tell(self, log_time: int) -> None:
        """Report up to a log time, in steps of a hundredth."""
        reached = int(self._size * min((log_time - self._first) / self._span, 1.0))
        if reached - self._told > self._size // 100:
            self._report(reached)

    def end(self) -> None:
        """Report the rest."""
        self._report(self._size)

    def _report(self, reached: int) -> None:
        self._on_bytes(reached - self._told)
        self._told = reached
