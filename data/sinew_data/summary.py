"""What an episode is, read from the end of its file alone."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    McapRecord,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.stream_reader import StreamReader
from mcap.writer import MCAP0_MAGIC

from sinew_data.episode import END, FORMAT, START, EpisodeEnd, EpisodeStart, from_metadata
from sinew_data.errors import EpisodeError

FOOTER = struct.Struct("<BQQQI8s")  # opcode, length, summary, summary offsets, check sum, magic
WANTED = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.STATISTICS, Opcode.METADATA_INDEX, Opcode.ATTACHMENT_INDEX)
REPAIR = "it was never finished; `sinew data repair` brings back what it holds."


@dataclass(frozen=True, slots=True)
class EpisodeSummary:
    """An episode without its messages. `counts` and `types` are by topic."""

    path: Path
    start: EpisodeStart
    end: EpisodeEnd
    counts: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    first: int = 0  # ns, log time of the first message
    last: int = 0  # ns, log time of the last message
    size: int = 0  # bytes
    attachments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The episode's name."""
        return self.path.stem

    @property
    def seconds(self) -> float:
        """How long the robot worked: in lockstep that is not what the clock on the wall says."""
        return self.end.steps * self.start.control_period

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras with colour images."""
        parts = (topic.split("/") for topic in self.counts)
        return tuple(p[2] for p in parts if p[1:2] == ["camera"] and p[3:] == ["color", "image_raw"])


def read_summary(path: Path, stream: BinaryIO) -> EpisodeSummary:
    """Read the summary section of an open file; EpisodeError, or what `mcap` raises, if there is none."""
    size = stream.seek(0, os.SEEK_END)
    summary_start, offsets_start = _footer(path, stream, size)
    groups = {
        record.group_opcode: record
        for record in _records(stream, offsets_start or summary_start, size - FOOTER.size)
        if isinstance(record, SummaryOffset)
    }
    wanted = (
        Opcode.SCHEMA,
        Opcode.CHANNEL,
        Opcode.STATISTICS,
        Opcode.METADATA_INDEX,
        Opcode.ATTACHMENT_INDEX,
    )
    records = [
        record
        for opcode in wanted
        if (group := groups.get(opcode)) is not None
        for record in _records(stream, group.group_start, group.group_start + group.group_length)
    ]
    schemas = {record.id: record.name for record in records if isinstance(record, Schema)}
    channels = {record.id: record for record in records if isinstance(record, Channel)}
    statistics = next((record for record in records if isinstance(record, Statistics)), None)
    counts = {} if statistics is None else statistics.channel_message_counts
    start, end = _metadata(path, stream, records)
    return EpisodeSummary(
        path=path,
        start=start,
        end=end,
        counts={channel.topic: counts.get(key, 0) for key, channel in channels.items()},
        types={channel.topic: schemas.get(channel.schema_id, "") for channel in channels.values()},
        first=0 if statistics is None else statistics.message_start_time,
        last=0 if statistics is None else statistics.message_end_time,
        size=size,
        attachments=tuple(record.name for record in records if isinstance(record, AttachmentIndex)),
    )


def _footer(path: Path, stream: BinaryIO, size: int) -> tuple[int, int]:
    """Return where the summary and its offsets begin."""
    stream.seek(0)
    if stream.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
        raise EpisodeError(f"{path}: is no MCAP file.")
    if size < FOOTER.size + len(MCAP0_MAGIC):
        raise EpisodeError(f"{path}: cut off after {size} bytes: {REPAIR}")
    stream.seek(size - FOOTER.size)
    opcode, _, summary, offsets, _, magic = FOOTER.unpack(stream.read(FOOTER.size))
    if magic != MCAP0_MAGIC or opcode != Opcode.FOOTER:
        raise EpisodeError(f"{path}: has no end: {REPAIR}")
    if not 0 < summary < size or not summary <= offsets < size:
        raise EpisodeError(f"{path}: an MCAP file without a summary, so no episode of Sinew.")
    return summary, offsets


def _metadata(path: Path, stream: BinaryIO, records: list[McapRecord]) -> tuple[EpisodeStart, EpisodeEnd]:
    found: dict[str, dict[str, str]] = {}
    for index in records:
        if isinstance(index, MetadataIndex) and index.name in (START, END):
            for record in _records(stream, index.offset, index.offset + index.length):
                if isinstance(record, Metadata):
                    found[record.name] = record.metadata
    for name in (START, END):
        if name not in found:
            raise EpisodeError(f"{path}: an MCAP file without the metadata '{name}', so no episode of Sinew.")
    given = found[START].get("format", "")
    if given != FORMAT:
        raise EpisodeError(f"{path}: format '{given}', expected '{FORMAT}'.")
    return from_metadata(EpisodeStart, found[START]), from_metadata(EpisodeEnd, found[END])


def _records(stream: BinaryIO, start: int, end: int) -> Iterator[McapRecord]:
    """Yield the records between two places of the file."""
    if not 0 <= start <= end <= stream.seek(0, os.SEEK_END):
        raise ValueError("the summary points outside of the file.")
    stream.seek(start)
    part = io.BytesIO(stream.read(end - start))
    reader = StreamReader(part, skip_magic=True).records
    while part.tell() < end - start:
        record = next(reader, None)  # a StopIteration in here would be a RuntimeError, which nobody expects
        if record is None:
            raise ValueError("the summary ends within its records.")
        yield record
