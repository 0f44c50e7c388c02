"""A serialised message as it came: when, of what time, and what should have come before it."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sinew_core.types import NANOSECONDS
from sinew_data import topics

LATE = 10 * NANOSECONDS  # ns that a message may have waited to be taken; more is a clock that was set


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that has come."""

    topic: str
    stamp: int | None  # ns, of its header; None where it has none
    log_time: int  # ns, when the transport had it, on the recorder's clock
    data: bytes
    lost: int = 0  # messages of its sender that should have come before it and have not


class Arrivals:
    """Makes arrivals of what rclpy hands over. Senders number their messages: none is lost unnoticed."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, bytes], int] = {}  # of the last message, by topic and sender
        self._wall = time.time_ns() - time.monotonic_ns()  # log times are steady, whoever sets the clock

    def make(self, topic: str, wire: bytes, info: Mapping[str, Any]) -> Arrival:
        """Return what a message and its MessageInfo come to."""
        waited = time.time_ns() - int(info["received_timestamp"])
        log_time = self._wall + time.monotonic_ns() - (waited if 0 <= waited < LATE else 0)
        stamp = None if topic == topics.FAULT else header_stamp_of(wire)
        return Arrival(topic, stamp, log_time, wire, self._missing(topic, info))

    def _missing(self, topic: str, info: Mapping[str, Any]) -> int:
        number: int | None = info["publication_sequence_number"]
        if number is None:  # a transport that does not number
            return 0
        sender = (topic, bytes(info["publisher_gid"]["data"]))
        last, self._numbers[sender] = self._numbers.get(sender, number - 1), number
        return max(0, number - last - 1)


def header_stamp_of(wire: bytes) -> int:
    """Return the stamp of a serialised message that begins with a header, in ns."""
    seconds, nanoseconds = struct.unpack_from("<iI" if wire[1] & 1 else ">iI", wire, 4)
    return int(seconds) * NANOSECONDS + int(nanoseconds)
