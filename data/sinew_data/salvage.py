"""Reads what can be read of an MCAP file that was never finished: every whole record, in order."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

HEAD = struct.Struct("<BQ")  # opcode, length
CHUNK_HEAD = struct.Struct("<QQQI")  # first and last log time, uncompressed size, check sum
MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
PIECE = 1 << 16  # bytes
RECORD_LIMIT = 1 << 30  # bytes; a longer record is damage


@dataclass(frozen=True, slots=True)
class SalvagedChunk:
    """Whole records of a chunk. `index` has log time and offset of each message by channel."""

    records: bytes
    index: dict[int, list[int]]
    announced: tuple[Schema | Channel, ...] = ()  # among the records


@dataclass(frozen=True, slots=True)
class Damage:
    """A place that could not be read."""

    offset: int
    sentence: str


Salvaged = Metadata | Attachment | Schema | Channel | SalvagedChunk | Damage


def salvage(stream: BinaryIO) -> Iterator[Salvaged]:
    """Yield what is whole, up to the summary or to where the file is cut off. Memory: one chunk."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if stream.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
        yield Damage(0, "is no MCAP file")
        return
    at = len(MCAP0_MAGIC)
    while size - at >= HEAD.size:
        stream.seek(at)
        opcode, length = HEAD.unpack(stream.read(HEAD.size))
        begin, at = at, at + HEAD.size + length
        if opcode == Opcode.DATA_END:
            return
        if opcode == 0 or length > RECORD_LIMIT or (at > size and opcode != Opcode.CHUNK):
            yield Damage(begin, f"{size - begin} bytes are no whole record")
            return
        yield from _read(opcode, begin, stream.read(length), length)
    if at != size:
        yield Damage(min(at, size), "cut off within a record")


def _read(opcode: int, begin: int, body: bytes, length: int) -> Iterator[Salvaged]:
    """Yield the record of some bytes; a chunk may be cut off."""
    try:
        if opcode == Opcode.CHUNK:
            yield from _chunk(body, whole=len(body) == length)
        elif opcode in READERS:
            yield READERS[opcode](ReadDataStream(io.BytesIO(body)))
    except (ValueError, struct.error, EOFError, zstandard.ZstdError) as error:
        yield Damage(begin, f"{type(error).__name__}: {error}")


def _chunk(body: bytes, *, whole: bool) -> Iterator[SalvagedChunk]:
    if whole:
        chunk = Chunk.read(ReadDataStream(io.BytesIO(body)))
        records = b"".join(_decompress(chunk.compression, chunk.data))
        if len(records) != chunk.uncompressed_size or zlib.crc32(records) != chunk.uncompressed_crc:
            raise ValueError("a chunk's check sum is wrong")
    else:
        at = CHUNK_HEAD.size + 4
        (name_length,) = struct.unpack_from("<I", body, CHUNK_HEAD.size)
        compression, data = body[at : at + name_length].decode(), body[at + name_length + 8 :]
        records = b"".join(_until_damage(_decompress(compression, data)))
    salvaged = _whole_records(records)
    if salvaged.index or salvaged.announced:
        yield salvaged


def _decompress(compression: str, data: bytes) -> Iterator[bytes]:
    """Yield what compressed bytes say, piece by piece, as far as they go."""
    if compression == "zstd":
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        for at in range(0, len(data), PIECE):
            yield decompressor.decompress(data[at : at + PIECE])
    elif compression:
        raise ValueError(f"a chunk is compressed with '{compression}', expected 'zstd'")
    else:
        yield data


def _until_damage(pieces: Iterator[bytes]) -> Iterator[bytes]:
    with contextlib.suppress(zstandard.ZstdError):
        yield from pieces


def _whole_records(records: bytes) -> SalvagedChunk:
    """Return the whole records at the beginning of a chunk's content."""
    index: dict[int, list[int]] = {}
    announced: list[Schema | Channel] = []
    at = 0
    while len(records) - at >= HEAD.size:
        opcode, length = HEAD.unpack_from(records, at)
        end = at + HEAD.size + length
        if end > len(records):
            break
        if opcode == Opcode.MESSAGE:
            channel, _, log_time, _ = MESSAGE.unpack_from(records, at + HEAD.size)
            index.setdefault(channel, []).extend((log_time, at))
        elif opcode == Opcode.SCHEMA:
            announced.append(Schema.read(ReadDataStream(io.BytesIO(records[at + HEAD.size : end]))))
        elif opcode == Opcode.CHANNEL:
            announced.append(Channel.read(ReadDataStream(io.BytesIO(records[at + HEAD.size : end]))))
        at = end
    return SalvagedChunk(records[:at], index, tuple(announced))


def messages_of(chunk: SalvagedChunk, channel: int) -> Iterator[bytes]:
    """Yield the messages of a channel."""
    for at in chunk.index.get(channel, [])[1::2]:
        _, length = HEAD.unpack_from(chunk.records, at)
        yield chunk.records[at + HEAD.size + MESSAGE.size : at + HEAD.size + length]


READERS: dict[int, Callable[[ReadDataStream], Metadata | Attachment | Schema | Channel]] = {
    Opcode.METADATA: Metadata.read,
    Opcode.ATTACHMENT: Attachment.read,
    Opcode.SCHEMA: Schema.read,
    Opcode.CHANNEL: Channel.read,
}
