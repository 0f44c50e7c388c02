"""The emulated servos' packets, read and written by the makers' own SDKs, which know nothing of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from memory_bus import ROBOT, MemoryBus
from sinew_hardware.arms.servo_table import DYNAMIXEL_X
from sinew_hardware.buses.registers import Register
from sinew_hardware.emulators.dynamixel_protocol import crc, stuffed, unstuffed
from sinew_hardware.emulators.emulated_bus import BYTE_TO_BYTE

SUCCESS = 0
PING, READ, WRITE, SYNC_READ, SYNC_WRITE = 1, 2, 3, 0x82, 0x83
BROADCAST = 0xFE
SCRATCH = 200  # an address that nobody needs
MAKES = ("feetech", "dynamixel")
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
tricky = st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x55]) | st.integers(0, 255), max_size=24).map(bytes)


@pytest.fixture(params=MAKES)
def servos(request: pytest.FixtureRequest) -> MemoryBus:
    return MemoryBus(request.param)


@pytest.fixture
def dynamixels() -> MemoryBus:
    return MemoryBus("dynamixel")


def test_a_ping_is_answered_by_its_servo_with_its_model(servos: MemoryBus) -> None:
    model = next(iter(servos.table.models))
    assert [servos.handler.ping(servos.port, i) for i in range(1, 7)] == [(model, SUCCESS, 0)] * 6
    assert servos.handler.ping(servos.port, 7)[1] == servos.sdk.COMM_RX_TIMEOUT


def test_a_ping_of_all_is_answered_by_all_one_after_the_other(servos: MemoryBus) -> None:
    answers = list(servos.bus.hear(servos.packet(BROADCAST, PING), servos.port.now))
    assert [reply.data[4 if servos.make == "dynamixel" else 2] for reply in answers] == [1, 2, 3, 4, 5, 6]
    assert [reply.due for reply in answers] == sorted({reply.due for reply in answers})


def test_the_sdk_finds_all_dynamixels(dynamixels: MemoryBus) -> None:
    found, result = dynamixels.handler.broadcastPing(dynamixels.port)
    assert (sorted(found), result) == ([1, 2, 3, 4, 5, 6], SUCCESS)


@given(data=tricky.filter(lambda data: data and b"\xff\xff\xfd" not in data))
@many
def test_what_the_sdk_writes_is_in_the_memory_and_what_it_reads(servos: MemoryBus, data: bytes) -> None:
    assert servos.handler.writeTxRx(servos.port, 2, SCRATCH, len(data), list(data)) == (SUCCESS, 0)
    assert servos.memory.read(2, SCRATCH, len(data)) == data
    assert servos.handler.readTxRx(servos.port, 2, SCRATCH, len(data)) == (list(data), SUCCESS, 0)
    assert servos.memory.read(3, SCRATCH, len(data)) == bytes(len(data))


def test_numbers_of_every_size_are_read_as_the_sdk_puts_bytes_together(servos: MemoryBus) -> None:
    servos.memory.write(1, SCRATCH, bytes([1, 2, 3, 4]), 0)
    handler, port = servos.handler, servos.port
    assert handler.read1ByteTxRx(port, 1, SCRATCH) == (0x01, SUCCESS, 0)
    assert handler.read2ByteTxRx(port, 1, SCRATCH) == (0x0201, SUCCESS, 0)
    assert handler.read4ByteTxRx(port, 1, SCRATCH) == (0x04030201, SUCCESS, 0)


def test_a_grouped_read_is_answered_by_each_servo_with_its_own(servos: MemoryBus) -> None:
    for servo in range(1, 7):
        servos.memory.write(servo, SCRATCH, bytes([servo, 0x10 * servo]), 0)
    group = servos.sdk.GroupSyncRead(servos.port, servos.handler, SCRATCH, 2)
    for servo in (5, 1, 3):
        assert group.addParam(servo)
    assert group.txRxPacket() == SUCCESS
    assert [group.getData(i, SCRATCH, 2) for i in (5, 1, 3)] == [0x5005, 0x1001, 0x3003]


def test_a_grouped_read_of_a_servo_that_is_not_there_is_silence_in_its_place(servos: MemoryBus) -> None:
    group = servos.sdk.GroupSyncRead(servos.port, servos.handler, SCRATCH, 1)
    for servo in (1, 9):
        group.addParam(servo)
    assert group.txPacket() == SUCCESS
    assert servos.handler.readRx(servos.port, 1, 1)[1] == SUCCESS
    assert servos.handler.readRx(servos.port, 9, 1)[1] == servos.sdk.COMM_RX_TIMEOUT


def test_a_grouped_write_reaches_each_servo_and_nobody_answers(servos: MemoryBus) -> None:
    group = servos.sdk.GroupSyncWrite(servos.port, servos.handler, SCRATCH, 2)
    for servo in (6, 2):
        group.addParam(servo, [servo, 0xFF])
    assert group.txPacket() == SUCCESS
    assert servos.port.came == b""
    assert [servos.memory.read(i, SCRATCH, 2) for i in (2, 6, 1)] == [b"\x02\xff", b"\x06\xff", bytes(2)]


def test_a_write_to_all_reaches_all_and_nobody_answers(servos: MemoryBus) -> None:
    servos.handler.write2ByteTxOnly(servos.port, BROADCAST, SCRATCH, 0x1234)
    assert servos.port.came == b""
    assert {servos.memory.read(i, SCRATCH, 2) for i in range(1, 7)} == {b"\x34\x12"}


@given(data=tricky)
@many
def test_the_crc_is_the_makers(dynamixels: MemoryBus, data: bytes) -> None:
    assert crc(data) == dynamixels.handler.updateCRC(0, list(data), len(data))


@given(data=tricky)
@example(data=b"\xff\xff\xfd\xfd\xff\xff\xfd\xff\xff\xfd")
@many
def test_bytes_are_stuffed_as_the_maker_stuffs_them(dynamixels: MemoryBus, data: bytes) -> None:
    length = len(data) + 3
    packet = [0xFF, 0xFF, 0xFD, 0, 1, length & 0xFF, length >> 8, WRITE, *data, 0, 0]
    theirs = bytes(dynamixels.handler.addStuffing(packet))
    assert bytes([WRITE]) + stuffed(data) == theirs[7 : 5 + theirs[5] + 256 * theirs[6]]
    assert unstuffed(stuffed(data)) == data
    assert b"\xff\xff\xfd\x00" not in stuffed(data)


@given(data=tricky.filter(bool))
@example(data=b"\xff\xff\xfd\x01\xff\xff\xfd\xfd\x02")
@many
def test_a_stuffed_write_arrives_as_it_was(dynamixels: MemoryBus, data: bytes) -> None:
    dynamixels.answer(dynamixels.packet(4, WRITE, dynamixels.addressed(SCRATCH) + data))
    assert dynamixels.memory.read(4, SCRATCH, len(data)) == data


def test_a_reading_that_looks_like_a_header_arrives_as_it_is(dynamixels: MemoryBus) -> None:
    """Moving slowly backwards past tick 0x8FD: FF FF FF FD in the middle of the state."""
    slow = np.full(6, -1.2 * DYNAMIXEL_X.velocity_unit)
    dynamixels.put(dynamixels.joints.positions(np.full(6, float(0x8FD))), slow)
    block = DYNAMIXEL_X.state
    answers = dynamixels.driver.read_all((1, 2, 3), block)
    assert b"\xff\xff\xff\xff\xfd\xfd\x08" in dynamixels.port.came
    for answer in answers.values():
        assert answer.data is not None
        assert block.value(DYNAMIXEL_X.position, answer.data) == 0x8FD
        assert block.value(DYNAMIXEL_X.velocity, answer.data) == -1


def test_a_packet_with_any_one_byte_changed_is_neither_obeyed_nor_answered(servos: MemoryBus) -> None:
    whole = servos.packet(2, WRITE, servos.addressed(SCRATCH) + b"\x5a\xa5")
    for place in range(len(whole)):
        for change in range(1, 256):
            spoilt = bytearray(whole)
            spoilt[place] ^= change
            assert servos.answer(bytes(spoilt)) == b"", (place, change)
    assert {servos.memory.read(i, SCRATCH, 2) for i in range(1, 7)} == {bytes(2)}
    assert servos.answer(whole) != b""


@given(garbage=st.binary(max_size=20).map(lambda data: data.replace(b"\xff", b"\xfe")))
@many
def test_garbage_before_a_packet_is_passed_over(servos: MemoryBus, garbage: bytes) -> None:
    ping = servos.packet(3, PING)
    assert servos.answer(garbage + ping) == servos.answer(ping) != b""


@given(garbage=st.binary(max_size=20) | tricky)
@many
def test_garbage_is_forgotten_after_a_pause(servos: MemoryBus, garbage: bytes) -> None:
    ping = servos.packet(3, PING)
    alone = servos.answer(ping)
    servos.answer(garbage)
    assert servos.answer(ping, later=1.1 * BYTE_TO_BYTE) == alone


def test_a_packet_in_two_halves_is_one_unless_there_is_a_pause(servos: MemoryBus) -> None:
    ping = servos.packet(3, PING)
    alone = servos.answer(ping)
    for cut in range(1, len(ping)):
        assert servos.answer(ping[:cut]) == b""
        assert servos.answer(ping[cut:], later=0.9 * BYTE_TO_BYTE) == alone
        assert servos.answer(ping[:cut]) == b""
        assert servos.answer(ping[cut:], later=1.1 * BYTE_TO_BYTE) == b""


def test_two_packets_that_come_together_are_both_answered(servos: MemoryBus) -> None:
    one, two = servos.packet(1, PING), servos.packet(2, PING)
    assert servos.answer(one + two) == servos.answer(one) + servos.answer(two)


def test_an_unknown_instruction_is_refused_with_a_number_or_by_silence(servos: MemoryBus) -> None:
    answer = servos.answer(servos.packet(1, 0x77))
    if servos.make == "feetech":
        assert answer == b""
    else:
        assert servos.handler.getRxPacketError(answer[8]) == (
            "[RxPacketError] Undefined instruction or incorrect instruction!"
        )


def test_what_lies_beyond_the_memory_is_refused(servos: MemoryBus) -> None:
    for instruction, parameters in (
        (READ, servos.addressed(250, 10)),
        (WRITE, servos.addressed(250) + bytes(10)),
    ):
        answer = servos.answer(servos.packet(1, instruction, parameters))
        assert answer == b"" if servos.make == "feetech" else answer[8] == 7
    assert servos.memory.read(1, 250, 10) == bytes(6)


@given(code=st.sampled_from([READ, WRITE, SYNC_READ, SYNC_WRITE]) | st.integers(0, 255), parameters=tricky)
@example(code=READ, parameters=b"")
@example(code=WRITE, parameters=b"")
@example(code=SYNC_READ, parameters=b"\x00")
@example(code=SYNC_WRITE, parameters=b"\x00\x00\x02\x00\x01")
@example(code=READ, parameters=b"\x00\xff")
@many
def test_no_instruction_breaks_the_bus(servos: MemoryBus, code: int, parameters: bytes) -> None:
    for servo in (1, 9, BROADCAST):
        servos.answer(servos.packet(servo, code, parameters))
    assert servos.handler.ping(servos.port, 1)[1] == SUCCESS


def test_signs_are_as_the_maker_writes_them(servos: MemoryBus) -> None:
    table, port, handler = servos.table, servos.port, servos.handler
    turn = np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    servos.put(ROBOT.home, 0.5 * turn)
    servos.motors.load = 0.3 * turn

    def signed(servo: int, register: Register, bit: int) -> int:
        read = handler.read2ByteTxRx if register.size == 2 else handler.read4ByteTxRx
        value = read(port, servo, register.address)[0]
        if servos.make == "feetech":
            return int(servos.sdk.SCS_TOHOST(value, bit))
        return int(np.array(value, f"u{register.size}").astype(f"i{register.size}"))

    speeds = [signed(i, table.velocity, 15) for i in range(1, 7)]
    assert speeds == [round(value / table.velocity_unit) for value in 0.5 * turn]
    assert [signed(i, table.load, 10) for i in range(1, 7)] == [-300, 300, -300, 300, -300, 300]


def test_an_alert_is_told_with_every_answer(servos: MemoryBus) -> None:
    servos.memory.errors[2] = 4
    _, result, error = servos.handler.readTxRx(servos.port, 2, SCRATCH, 1)
    assert (result, error) == (SUCCESS, 4 if servos.make == "feetech" else 0x80)
    assert servos.driver.read(2, Register(SCRATCH, 1)) == 0  # it is an answer all the same
    if servos.table.error_register is not None:
        assert servos.driver.read(2, servos.table.error_register) == 4
