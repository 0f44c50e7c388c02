"""An emulated wire: bytes take their time, a wrong rate is noise, and a cable can be pulled."""

from __future__ import annotations

import os
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk import until
from memory_bus import BYTE, SECOND, MemoryBus
from sinew_hardware.emulators.bus_faults import BusFault
from sinew_hardware.emulators.emulated_bus import RETURN_DELAY, SILENT_TURN, EmulatedBus
from sinew_hardware.emulators.wire import Wire

PING, READ, SYNC_READ, SYNC_WRITE, BROADCAST = 1, 2, 0x82, 0x83, 0xFE
SCRATCH, SIZE = 200, 8
TURN = round(RETURN_DELAY * SECOND)  # ns
PATIENCE = 2.0  # s, for what comes; and for what must not:
QUIET = 0.05  # s


@pytest.fixture(params=["feetech", "dynamixel"])
def servos(request: pytest.FixtureRequest) -> MemoryBus:
    return MemoryBus(request.param)


@pytest.fixture
def wire(servos: MemoryBus, tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(servos.bus, tmp_path / "bus", 1_000_000)
    wire.start()
    yield wire
    wire.close()


@contextmanager
def port(path: Path, speed: int = termios.B1000000) -> Iterator[int]:
    """Open a serial port at a rate; yield its file descriptor."""
    opened = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(opened)
        settings = termios.tcgetattr(opened)
        settings[4] = settings[5] = speed
        termios.tcsetattr(opened, termios.TCSANOW, settings)
        yield opened
    finally:
        os.close(opened)


def heard(opened: int, length: int, seconds: float = PATIENCE) -> bytes:
    """Return what comes from a port, up to a length."""
    data, deadline = b"", time.monotonic() + seconds
    while len(data) < length and time.monotonic() < deadline:
        if select.select([opened], [], [], 0.01)[0]:
            data += os.read(opened, length - len(data))
    return data


def test_an_answer_is_due_when_all_bytes_have_been_on_the_wire(servos: MemoryBus) -> None:
    question = servos.packet(2, READ, servos.addressed(SCRATCH, SIZE))
    (reply,) = servos.bus.hear(question, SECOND)
    assert reply.due - SECOND == (len(question) + len(reply.data)) * BYTE + TURN


def test_answers_to_one_question_come_one_after_the_other(servos: MemoryBus) -> None:
    question = servos.packet(BROADCAST, SYNC_READ, servos.addressed(SCRATCH, SIZE) + bytes([1, 2, 3]))
    replies = list(servos.bus.hear(question, SECOND))
    each = len(replies[0].data) * BYTE + TURN
    begun = SECOND + len(question) * BYTE
    assert [reply.due - begun for reply in replies] == [each, 2 * each, 3 * each]


def test_a_silent_servo_costs_its_turn(servos: MemoryBus) -> None:
    servos.bus.faults.add(BusFault("silent", until=2 * SECOND, servo=1))
    question = servos.packet(BROADCAST, SYNC_READ, servos.addressed(SCRATCH, SIZE) + bytes([1, 2]))
    (reply,) = servos.bus.hear(question, SECOND)
    taken = (len(question) + len(reply.data)) * BYTE + TURN
    assert reply.due - SECOND == taken + round(SILENT_TURN * SECOND)
    assert len(list(servos.bus.hear(question, 3 * SECOND))) == 2


def test_what_is_asked_too_early_waits_until_the_wire_is_free(servos: MemoryBus) -> None:
    ping = servos.packet(1, PING)
    (first,) = servos.bus.hear(ping, SECOND)
    (second,) = servos.bus.hear(ping, SECOND)
    assert second.due - first.due == first.due - SECOND


def test_a_slower_wire_takes_longer_in_proportion(servos: MemoryBus) -> None:
    slow = EmulatedBus(servos.protocol, servos.memory, 100_000, seed=0)
    ping = servos.packet(1, PING)
    (fast_reply,), (slow_reply,) = servos.bus.hear(ping, SECOND), slow.hear(ping, SECOND)
    assert slow_reply.due - SECOND - TURN == 10 * (fast_reply.due - SECOND - TURN)


def test_a_port_carries_the_bus(servos: MemoryBus, wire: Wire, tmp_path: Path) -> None:
    ping = servos.packet(1, PING)
    with port(tmp_path / "bus") as opened:
        os.write(opened, ping)
        assert heard(opened, len(servos.answer(ping))) == servos.answer(ping)


def test_at_another_rate_nothing_is_heard(servos: MemoryBus, wire: Wire, tmp_path: Path) -> None:
    ping = servos.packet(1, PING)
    with port(tmp_path / "bus", termios.B57600) as opened:
        os.write(opened, ping)
        assert heard(opened, 1, QUIET) == b""
    with port(tmp_path / "bus") as opened:
        os.write(opened, ping)
        assert heard(opened, 1) != b""


def test_a_pulled_cable_takes_the_port_along_and_brings_it_back(
    servos: MemoryBus, wire: Wire, tmp_path: Path
) -> None:
    path, ping = tmp_path / "bus", servos.packet(1, PING)
    with port(path) as opened:
        wire.unplug()
        assert until(lambda: not path.is_symlink())
        assert until(lambda: _gone(opened))
    wire.plug()
    assert until(path.exists)
    with port(path) as opened:
        os.write(opened, ping)
        assert heard(opened, 1) != b""


def test_half_a_question_from_before_does_not_spoil_the_next_one(
    servos: MemoryBus, wire: Wire, tmp_path: Path
) -> None:
    path, ping = tmp_path / "bus", servos.packet(1, PING)
    with port(path) as opened:
        os.write(opened, servos.packet(2, SYNC_WRITE, servos.addressed(SCRATCH, 40) + bytes(82))[:-40])
        heard(opened, 1, QUIET)
    wire.unplug()
    assert until(lambda: not path.is_symlink())
    time.sleep(0.1)
    wire.plug()
    assert until(path.exists)
    with port(path) as opened:
        os.write(opened, ping)
        assert heard(opened, 1) != b""


def test_a_closed_wire_leaves_no_port(wire: Wire, tmp_path: Path) -> None:
    assert (tmp_path / "bus").exists()
    wire.close()
    assert list(tmp_path.iterdir()) == []


def _gone(opened: int) -> bool:
    try:
        return select.select([opened], [], [], 0)[0] != [] and os.read(opened, 1) == b""
    except OSError:
        return True
