"""What is written is MCAP as others read it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from episode_makers import write_episode
from mcap.reader import McapReader, NonSeekingReader, SeekingReader
from mcap.records import Statistics
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore
from sinew_data import topics
from sinew_data.mcap_file import McapFile

IMAGE = bytes(40_000)


class Sink(io.BytesIO):
    """A file that takes a few bytes at a time."""

    def write(self, data: object) -> int:  # type: ignore[override]
        return super().write(memoryview(data)[:1000])  # type: ignore[call-overload]


def written(count: int = 5) -> bytes:
    sink = Sink()
    file = McapFile(sink)  # type: ignore[arg-type]
    file.start()
    file.add_metadata("sinew", {"a": "b"})
    file.add_attachment("x.yaml", "application/yaml", b"x: 1", 7)
    small = file.channel("/small", "std_msgs/msg/Empty", lambda _: "")
    large = file.channel("/large", "std_msgs/msg/Empty", lambda _: "")
    for index in range(count):
        file.add_message(small, index, 10 * index, index, b"\x00\x01\x00\x00%d" % index)
        file.add_message(large, index, 10 * index + 5, index, IMAGE)
    file.finish()
    assert file.size == len(sink.getvalue())
    return sink.getvalue()


@pytest.mark.parametrize("reader", [SeekingReader, NonSeekingReader])
def test_the_reference_reader_reads_everything_and_its_check_sums_hold(reader: type) -> None:
    def opened() -> McapReader:
        return reader(io.BytesIO(written()), validate_crcs=True)  # type: ignore[no-any-return]

    times = [message.log_time for _, _, message in opened().iter_messages()]
    assert times == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert [(item.name, item.data) for item in opened().iter_attachments()] == [("x.yaml", b"x: 1")]
    assert [(item.name, item.metadata) for item in opened().iter_metadata()] == [("sinew", {"a": "b"})]


def test_the_statistics_count_everything() -> None:
    summary = SeekingReader(io.BytesIO(written())).get_summary()
    assert summary is not None
    assert summary.statistics == Statistics(
        attachment_count=1,
        channel_count=2,
        channel_message_counts={1: 5, 2: 5},
        chunk_count=2,
        message_count=10,
        metadata_count=1,
        message_start_time=0,
        message_end_time=45,
        schema_count=1,
    )


def test_a_file_without_messages_is_whole() -> None:
    reader = SeekingReader(io.BytesIO(written(0)), validate_crcs=True)
    assert list(reader.iter_messages()) == []
    assert next(reader.iter_metadata()).name == "sinew"


def test_small_messages_are_read_without_the_chunks_of_large_ones() -> None:
    data = written()
    summary = SeekingReader(io.BytesIO(data)).get_summary()
    assert summary is not None
    assert [set(chunk.message_index_offsets) for chunk in summary.chunk_indexes] == [{1}, {2}]


def test_a_full_chunk_is_written_at_once() -> None:
    sink = io.BytesIO()
    file = McapFile(sink, chunk_size=100)  # type: ignore[arg-type]
    file.start()
    channel = file.channel("/small", "std_msgs/msg/Empty", lambda _: "")
    before = file.size
    file.add_message(channel, 0, 1, 1, bytes(99))
    assert file.size > before


def test_rosbags_reads_an_episode_with_the_definitions_in_it(tmp_path: Path) -> None:
    path = write_episode(tmp_path, steps=3)
    with AnyReader([path], default_typestore=get_typestore(Stores.EMPTY)) as bag:
        commands = [connection for connection in bag.connections if connection.topic == topics.EXECUTED]
        sources = [
            bag.deserialize(data, connection.msgtype).source  # type: ignore[attr-defined]
            for connection, _, data in bag.messages(commands)
        ]
        assert {connection.topic: connection.msgtype for connection in bag.connections} == {
            topic: topics.type_of(topic) for topic in (c.topic for c in bag.connections)
        }
    assert sources == ["policy"] * 3
