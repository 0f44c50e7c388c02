"""The end of an MCAP file: what is in it and where, gathered while it is written."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Mapping
from itertools import chain

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    ChunkIndex,
    Footer,
    McapRecord,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

OPCODES: Mapping[type[McapRecord], Opcode] = {
    Schema: Opcode.SCHEMA,
    Channel: Opcode.CHANNEL,
    ChunkIndex: Opcode.CHUNK_INDEX,
    AttachmentIndex: Opcode.ATTACHMENT_INDEX,
    MetadataIndex: Opcode.METADATA_INDEX,
}


class McapSummary:
    """Collects what the summary section lists; records are kept as bytes, a long file has many."""

    def __init__(self) -> None:
        self._groups: dict[Opcode, list[bytes]] = {opcode: [] for opcode in OPCODES.values()}
        self._counts: Counter[int] = Counter()  # messages by channel
        self._first, self._last = 0, 0  # ns, log times

    def add(self, record: McapRecord) -> None:
        """Take a schema, a channel or an index."""
        self._groups[OPCODES[type(record)]].append(packed(record))

    def add_chunk(self, chunk: ChunkIndex, counts: Mapping[int, int]) -> None:
        """Take a chunk's index with the number of its messages by channel."""
        times = (chunk.message_start_time, chunk.message_end_time)
        self._first = min(times[0], self._first) if self._counts else times[0]
        self._last = max(times[1], self._last)
        self._counts.update(counts)
        self.add(chunk)

    def end(self, start: int) -> bytes:
        """Return the summary section and the footer, which begin at `start` in the file."""
        groups = {**self._groups, Opcode.STATISTICS: [packed(self._statistics())]}
        offsets, at = [], start
        for opcode, records in groups.items():
            length = sum(map(len, records))
            if length:
                offset = SummaryOffset(group_opcode=opcode, group_start=at, group_length=length)
                offsets.append(packed(offset))
            at += length
        body = b"".join(chain(*groups.values(), offsets))
        check = zlib.crc32(body + struct.pack("<BQQQ", Opcode.FOOTER, 20, start, at))
        return body + packed(Footer(summary_start=start, summary_offset_start=at, summary_crc=check))

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=len(self._groups[Opcode.ATTACHMENT_INDEX]),
            channel_count=len(self._groups[Opcode.CHANNEL]),
            channel_message_counts=dict(self._counts),
            chunk_count=len(self._groups[Opcode.CHUNK_INDEX]),
            message_count=self._counts.total(),
            metadata_count=len(self._groups[Opcode.METADATA_INDEX]),
            message_start_time=self._first,
            message_end_time=self._last,
            schema_count=len(self._groups[Opcode.SCHEMA]),
        )


def packed(record: McapRecord) -> bytes:
    """Return a record as it lies in a file."""
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]
