"""Reads episodes: what they are from their last bytes, their messages as a stream in bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self

import zstandard
from mcap.exceptions import McapError
from mcap.reader import SeekingReader
from mcap.records import Channel, Message, Schema

from sinew_data.definitions import decoder
from sinew_data.errors import EpisodeError
from sinew_data.steps import RecordedStep, Steps
from sinew_data.summary import EpisodeSummary, read_summary

RECORD_LIMIT = 1 << 30  # bytes; a longer record is damage
DAMAGE = (
    *(McapError, ValueError, KeyError, struct.error, zstandard.ZstdError, EOFError, OSError),
    *(MemoryError, OverflowError),  # a length that is damaged
)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it lies in the file."""

    topic: str
    type_name: str
    definition: str
    sequence: int
    log_time: int  # ns, on the recorder's clock
    publish_time: int  # ns, the header's stamp
    data: bytes  # CDR

    def decode(self) -> Any:
        """Return the message, by the definition in the file; ValueError if it is not as defined."""
        return decoder(self.type_name, self.definition)(self.data)


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """A decoded message."""

    topic: str
    type_name: str
    log_time: int  # ns
    publish_time: int  # ns
    message: Any  # with the attributes of its ROS type


class Episode:
    """An open episode. Every iterator reads the file anew, one at a time."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self._stream = stream

    @cached_property
    def summary(self) -> EpisodeSummary:
        """What the episode is; EpisodeError if the file is none."""
        with damage_of(self.path):
            return read_summary(self.path, self._stream)

    def raw_messages(
        self, topics: Collection[str] | None = None, start: int | None = None, end: int | None = None
    ) -> Iterator[RawMessage]:
        """Yield messages in the order of their log times, of these topics, from `start` to before `end`."""
        with damage_of(self.path):
            self._stream.seek(0)
            reader = SeekingReader(self._stream, validate_crcs=True, record_size_limit=RECORD_LIMIT)
            for schema, channel, message in reader.iter_messages(
                topics, starting_at=start, ending_before=end
            ):
                yield _raw(schema, channel, message)

    def messages(
        self, topics: Collection[str] | None = None, start: int | None = None, end: int | None = None
    ) -> Iterator[RecordedMessage]:
        """Yield decoded messages in the order of their log times."""
        with damage_of(self.path):
            for raw in self.raw_messages(topics, start, end):
                yield RecordedMessage(raw.topic, raw.type_name, raw.log_time, raw.publish_time, raw.decode())

    def steps(self, *, frames: bool = True, seen: bool = True) -> Iterator[RecordedStep]:
        """Yield the episode's control periods.

        With `seen`, an observation that the policy acted on has exactly the parts that the policy saw; the
        others, and all without `seen`, have the newest parts of that moment. Without `frames`, images are
        not even decoded.
        """
        steps = Steps(self.summary, frames=frames, seen=seen)
        with damage_of(self.path):
            for raw in self.raw_messages(steps.topics):
                yield from steps.take(raw)
            yield from steps.rest()

    def attachments(self) -> dict[str, bytes]:
        """Return the files kept with the episode, by name."""
        with damage_of(self.path):
            self._stream.seek(0)
            reader = SeekingReader(self._stream, record_size_limit=RECORD_LIMIT)
            return {item.name: item.data for item in reader.iter_attachments()}

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> Self:
        """Return the episode."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def open_episode(path: Path | str) -> Episode:
    """Open an episode file for reading; EpisodeError if it is none, or was never finished."""
    path = Path(path)
    try:
        episode = Episode(path, path.open("rb"))
    except OSError as error:
        raise EpisodeError(f"{path}: cannot be read ({error.strerror}).") from error
    try:
        assert episode.summary
    except BaseException:
        episode.close()
        raise
    return episode


def _raw(schema: Schema | None, channel: Channel, message: Message) -> RawMessage:
    return RawMessage(
        topic=channel.topic,
        type_name="" if schema is None else schema.name,
        definition="" if schema is None else schema.data.decode(),
        sequence=message.sequence,
        log_time=message.log_time,
        publish_time=message.publish_time,
        data=message.data,
    )


@contextmanager
def damage_of(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged file raises into an EpisodeError that names it."""
    try:
        yield
    except DAMAGE as error:
        raise EpisodeError(f"{path}: damaged: {type(error).__name__}: {error}".rstrip(": ")) from error
