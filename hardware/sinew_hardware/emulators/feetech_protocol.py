"""The packets of Feetech's STS servos, from the servos' side: FF FF id length instruction ... checksum."""

from __future__ import annotations

from sinew_hardware.arms.servo_table import FEETECH_STS
from sinew_hardware.buses.registers import Register
from sinew_hardware.emulators.instructions import Instruction, Refusal, by_servo
from sinew_hardware.emulators.servo_memory import MemoryLayout

HEADER = b"\xff\xff"
NAMES = {1: "ping", 2: "read", 3: "write", 0x82: "sync_read", 0x83: "sync_write"}
PARAMETERS = {"read": 2, "write": 1, "sync_read": 2, "sync_write": 2}  # at least
LAYOUT = MemoryLayout(
    model=Register(3, 2),
    id=Register(5, 1),
    torque_limit=Register(48, 2),
    torque_unit=0.001,
    volatile_from=40,
    defaults={
        11: (2, 4095),  # maximum position
        13: (1, 70),  # maximum temperature
        14: (1, 140),  # maximum voltage
        15: (1, 40),  # minimum voltage
        16: (2, 1000),  # maximum torque
        21: (1, 32),  # P
        22: (1, 32),  # D
        36: (1, 80),  # overload torque, percent
        48: (2, 1000),
    },
)


class FeetechProtocol:
    """Takes the bytes of a bus apart, and puts status packets together."""

    table, layout = FEETECH_STS, LAYOUT

    def take(self, buffer: bytearray) -> Instruction | None:
        """Cut the next whole instruction from a buffer, and what is none before it."""
        while True:
            begin = buffer.find(HEADER)
            if begin < 0:
                del buffer[: max(0, len(buffer) - 1)]
                return None
            del buffer[:begin]
            if len(buffer) < 6 or len(buffer) < 4 + buffer[3]:
                return None
            packet = bytes(buffer[: 4 + buffer[3]])
            if len(packet) < 6 or checksum(packet[2:-1]) != packet[-1]:
                del buffer[:1]
                continue
            del buffer[: len(packet)]
            return self._instruction(packet[2], packet[4], packet[5:-1])

    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """Return a servo's answer; the error byte holds the bits of its errors themselves."""
        body = bytes([servo, len(data) + 2, error]) + data
        return HEADER + body + bytes([checksum(body)])

    def refusal(self, servo: int, error: int, why: Refusal) -> bytes:
        """Return nothing: no error bit stands for that."""
        return b""

    def pinged(self, memory: bytes) -> bytes:
        """Return nothing: the status alone is the answer."""
        return b""

    def _instruction(self, servo: int, code: int, parameters: bytes) -> Instruction:
        name = NAMES.get(code, "unknown")
        if len(parameters) < PARAMETERS.get(name, 0):
            return Instruction("unknown", (servo,))
        if name == "read":
            return Instruction(name, (servo,), parameters[0], parameters[1])
        if name == "write":
            return Instruction(name, (servo,), parameters[0], data={servo: parameters[1:]})
        if name == "sync_read":
            return Instruction(name, tuple(parameters[2:]), parameters[0], parameters[1])
        if name == "sync_write":
            data = by_servo(parameters[2:], parameters[1])
            if data is not None:
                return Instruction(name, tuple(data), parameters[0], parameters[1], data)
            name = "unknown"
        return Instruction(name, (servo,))


def checksum(body: bytes) -> int:
    """Return the complement of the sum of all bytes from the id on."""
    return ~sum(body) & 0xFF
