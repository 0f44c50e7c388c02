"""Writes MCAP (https://mcap.dev/spec): chunks that are closed when asked, compressed at a chosen level.

The records are those of the package `mcap`, whose own writer has one fixed level of zstd. Measured on noisy
640x480 images, colour and depth, on one thread in MB/s (and by how much they shrink): zstd 3 99 and 209
(1.8, 3.4), zstd 1 535 and 242 (1.6, 3.2), lz4 437 and 414 (1.1, 2.0). Two cameras at 30 Hz are 92 MB/s.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping

import zstandard
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Header,
    Metadata,
    MetadataIndex,
    Schema,
)
from mcap.writer import LIBRARY_IDENTIFIER, MCAP0_MAGIC

from sinew_data.mcap_summary import McapSummary, packed

LEVEL = 1  # of zstd
CHUNK_SIZE = 4 << 20  # bytes, uncompressed
LARGE = 1 << 15  # bytes from which a message goes to chunks of its kind: who wants no images skips them
MESSAGE_HEAD = struct.Struct("<BQHIQQ")  # opcode, length, channel, sequence, log time, publish time
CHUNK_HEAD = struct.Struct("<BQQQQII4sQ")  # up to the compressed records, with "zstd"


class McapFile:
    """Appends to an unbuffered file; every call leaves whole records behind, or raises OSError.

    `size` is where the last whole record ends. Not thread-safe.
    """

    def __init__(self, stream: io.RawIOBase, level: int = LEVEL, chunk_size: int = CHUNK_SIZE) -> None:
        self.size = 0
        self._stream = stream
        self._compressor = zstandard.ZstdCompressor(level=level)
        self._chunk_size = chunk_size
        self._schemas: dict[str, int] = {}  # id by type name
        self._channels: dict[str, int] = {}  # id by topic
        self._pending: list[Schema | Channel] = []  # not yet in the file
        self._small, self._large = _OpenChunk(), _OpenChunk()
        self._summary = McapSummary()

    def start(self) -> None:
        """Begin the file."""
        self._append(MCAP0_MAGIC, packed(Header("ros2", LIBRARY_IDENTIFIER)))

    def add_metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Write a metadata record."""
        offset, record = self.size, packed(Metadata(name=name, metadata=dict(values)))
        self._append(record)
        self._summary.add(MetadataIndex(offset=offset, length=len(record), name=name))

    def add_attachment(self, name: str, media_type: str, data: bytes, stamp: int) -> None:
        """Write a file's content as an attachment."""
        facts = {"log_time": stamp, "create_time": 0, "name": name, "media_type": media_type}
        offset, record = self.size, packed(Attachment(data=data, **facts))  # type: ignore[arg-type]
        self._append(record)
        index = AttachmentIndex(offset=offset, length=len(record), data_size=len(data), **facts)  # type: ignore[arg-type]
        self._summary.add(index)

    def channel(self, topic: str, type_name: str, definition: Callable[[str], str]) -> int:
        """Return the id of a topic's channel; it is made, with its definition, when first asked for."""
        if topic in self._channels:
            return self._channels[topic]
        if type_name not in self._schemas:
            number, text = len(self._schemas) + 1, definition(type_name)
            self.announce(Schema(id=number, name=type_name, encoding="ros2msg", data=text.encode()))
        number, schema = len(self._channels) + 1, self._schemas[type_name]
        qos = {"offered_qos_profiles": ""}  # a key that `ros2 bag` looks for
        self.announce(Channel(id=number, topic=topic, message_encoding="cdr", metadata=qos, schema_id=schema))
        return number

    def announce(self, record: Schema | Channel) -> None:
        """Take a schema or a channel over as it is."""
        if isinstance(record, Schema):
            self._schemas[record.name] = record.id
        else:
            self._channels[record.topic] = record.id
        self._summary.add(record)
        self._pending.append(record)

    def add_message(self, channel: int, sequence: int, log_time: int, publish_time: int, data: bytes) -> None:
        """Add a message to an open chunk; a full chunk is written."""
        chunk = self._large if len(data) >= LARGE else self._small
        chunk.add(channel, sequence, log_time, publish_time, data)
        if chunk.size >= self._chunk_size:
            self.write_chunk(*chunk.take())

    def close_chunks(self) -> None:
        """Write the open chunks, as far as they hold anything."""
        for chunk in (self._small, self._large):
            if chunk.size:
                self.write_chunk(*chunk.take())

    def write_chunk(self, records: bytes, index: Mapping[int, list[int]]) -> None:
        """Write message records as a chunk with its index: log time and offset of each, by channel."""
        pending, self._pending = self._pending, []
        self._append(*map(packed, pending))
        times = [time for entries in index.values() for time in entries[::2]]
        first, last, data = min(times), max(times), self._compressor.compress(records)
        length, check = CHUNK_HEAD.size - 9 + len(data), zlib.crc32(records)
        head = CHUNK_HEAD.pack(Opcode.CHUNK, length, first, last, len(records), check, 4, b"zstd", len(data))
        start, at = self.size, self.size + len(head) + len(data)
        indexes, offsets = [], {}
        for channel, entries in index.items():
            offsets[channel] = at
            indexes.append(_message_index(channel, entries))
            at += len(indexes[-1])
        self._append(head, data, *indexes)
        chunk = ChunkIndex(
            message_start_time=first,
            message_end_time=last,
            chunk_start_offset=start,
            chunk_length=len(head) + len(data),
            message_index_offsets=offsets,
            message_index_length=sum(map(len, indexes)),
            compression="zstd",
            compressed_size=len(data),
            uncompressed_size=len(records),
        )
        self._summary.add_chunk(chunk, {channel: len(entries) // 2 for channel, entries in index.items()})

    def finish(self) -> None:
        """Close the open chunks and write the summary; nothing can be added after it."""
        self.close_chunks()
        self._append(*map(packed, self._pending), packed(DataEnd(0)))
        self._append(self._summary.end(self.size), MCAP0_MAGIC)

    def _append(self, *parts: bytes) -> None:
        """Write parts that make whole records."""
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[self._stream.write(view) or 0 :]
        self.size += sum(map(len, parts))


class _OpenChunk:
    """Messages that are not written yet, with log time and offset of each by channel."""

    def __init__(self) -> None:
        self.size = 0  # bytes
        self._parts: list[bytes] = []
        self._index: dict[int, list[int]] = {}

    def add(self, channel: int, sequence: int, log_time: int, publish_time: int, data: bytes) -> None:
        self._index.setdefault(channel, []).extend((log_time, self.size))
        length = MESSAGE_HEAD.size - 9 + len(data)
        head = MESSAGE_HEAD.pack(Opcode.MESSAGE, length, channel, sequence, log_time, publish_time)
        self._parts += (head, data)
        self.size += len(head) + len(data)

    def take(self) -> tuple[bytes, dict[int, list[int]]]:
        """Return the records and their index, and begin anew."""
        records, index = b"".join(self._parts), self._index
        self.size, self._parts, self._index = 0, [], {}
        return records, index


def _message_index(channel: int, entries: list[int]) -> bytes:
    size = 8 * len(entries)
    return struct.pack(f"<BQHI{len(entries)}Q", Opcode.MESSAGE_INDEX, 6 + size, channel, size, *entries)
