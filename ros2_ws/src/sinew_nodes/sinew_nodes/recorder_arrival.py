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
SET = 5_000_000  # ns by which two clocks differ anew when one of them has been set


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
        self._ahead = 0  # ns, of the wall clock before the recorder's
        self._last: dict[str, int] = {}  # log time by topic

    def make(self, topic: str, wire: bytes, info: Mapping[str, Any]) -> Arrival:
        """Return what a message and its MessageInfo come to."""
        stamp = None if topic == topics.FAULT else header_stamp_of(wire)
        log_time = self._log_time(topic, int(info["received_timestamp"]))
        return Arrival(topic, stamp, log_time, wire, self._missing(topic, info))

    def _log_time(self, topic: str, received: int) -> int:
        """Return when a message came, on a clock that never goes back."""
        now = self._wall + time.monotonic_ns()
        ahead = time.time_ns() - now
        if abs(ahead - self._ahead) > SET:
            self._ahead = ahead
        came = received - self._ahead
        came = came if now - LATE < came <= now else now
        self._last[topic] = max(came, self._last.get(topic, 0))
        return self._last[topic]

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
