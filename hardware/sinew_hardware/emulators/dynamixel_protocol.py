"""The packets of Dynamixel protocol 2.0, from the servos' side: FF FF FD 00 id length instruction ... CRC."""

from __future__ import annotations

from sinew_hardware.arms.servo_table import DYNAMIXEL_X
from sinew_hardware.buses.registers import Register
from sinew_hardware.emulators.instructions import Instruction, Refusal, by_servo
from sinew_hardware.emulators.servo_memory import MemoryLayout

HEADER = b"\xff\xff\xfd\x00"
NAMES = {1: "ping", 2: "read", 3: "write", 8: "reboot", 0x82: "sync_read", 0x83: "sync_write"}
PARAMETERS = {"read": 4, "write": 2, "sync_read": 4, "sync_write": 4}  # at least
STATUS = 0x55
ALERT = 0x80
REFUSALS: dict[Refusal, int] = {"instruction": 2, "access": 7}
FIRMWARE = 48
LAYOUT = MemoryLayout(
    model=Register(0, 2),
    id=Register(7, 1),
    torque_limit=Register(102, 2),
    torque_unit=1 / 1193,
    volatile_from=64,
    guarded=True,
    defaults={
        6: (1, FIRMWARE),
        11: (1, 3),  # position control
        31: (1, 80),  # maximum temperature
        32: (2, 160),  # maximum voltage
        34: (2, 95),  # minimum voltage
        36: (2, 885),  # PWM limit
        38: (2, 1193),  # current limit
        48: (4, 4095),  # maximum position
        100: (2, 885),
        102: (2, 1193),
    },
)


class DynamixelProtocol:
    """Takes the bytes of a bus apart, and puts status packets together."""

    table, layout = DYNAMIXEL_X, LAYOUT

    def take(self, buffer: bytearray) -> Instruction | None:
        """Cut the next whole instruction from a buffer, and what is none before it."""
        while True:
            begin = buffer.find(HEADER)
            if begin < 0:
                del buffer[: max(0, len(buffer) - len(HEADER) + 1)]
                return None
            del buffer[:begin]
            length = 7 + int.from_bytes(buffer[5:7], "little") if len(buffer) >= 7 else 10
            if len(buffer) < max(length, 10):
                return None
            packet = bytes(buffer[:length])
            if length < 10 or crc(packet[:-2]) != int.from_bytes(packet[-2:], "little"):
                del buffer[:1]
                continue
            del buffer[:length]
            return self._instruction(packet[4], packet[7], unstuffed(packet[8:-2]))

    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """Return a servo's answer; the error byte says only that there is an error."""
        return self._packet(servo, ALERT if error else 0, data)

    def refusal(self, servo: int, error: int, why: Refusal) -> bytes:
        """Return a servo's answer to what it does not do, with the number that says why."""
        return self._packet(servo, (ALERT if error else 0) | REFUSALS[why], b"")

    @staticmethod
    def _packet(servo: int, error: int, data: bytes) -> bytes:
        body = stuffed(bytes([STATUS, error]) + data)
        packet = HEADER + bytes([servo]) + (len(body) + 2).to_bytes(2, "little") + body
        return packet + crc(packet).to_bytes(2, "little")

    def pinged(self, memory: bytes) -> bytes:
        """Return the model number and the firmware."""
        return memory[0:2] + memory[6:7]

    def _instruction(self, servo: int, code: int, parameters: bytes) -> Instruction:
        name = NAMES.get(code, "unknown")
        if len(parameters) < PARAMETERS.get(name, 0):
            return Instruction("unknown", (servo,))
        address = int.from_bytes(parameters[:2], "little")
        size = int.from_bytes(parameters[2:4], "little")
        if name == "read":
            return Instruction(name, (servo,), address, size)
        if name == "write":
            return Instruction(name, (servo,), address, data={servo: parameters[2:]})
        if name == "sync_read":
            return Instruction(name, tuple(parameters[4:]), address, size)
        if name == "sync_write":
            data = by_servo(parameters[4:], size)
            if data is not None:
                return Instruction(name, tuple(data), address, size, data)
            name = "unknown"
        return Instruction(name, (servo,))


def stuffed(body: bytes) -> bytes:
    """Return a body in which no header can be seen: FF FF FD is followed by another FD."""
    return body.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def unstuffed(body: bytes) -> bytes:
    """Undo `stuffed`."""
    return body.replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")


def crc(data: bytes) -> int:
    """Return the CRC-16 with the polynomial 0x8005, as Robotis documents it (CRC-16/BUYPASS)."""
    value = 0
    for byte in data:
        value = (value << 8) & 0xFFFF ^ CRC_OF_BYTE[(value >> 8) ^ byte]
    return value


def _crc_of(byte: int) -> int:
    value = byte << 8
    for _ in range(8):
        value = ((value << 1) ^ 0x8005) & 0xFFFF if value & 0x8000 else value << 1
    return value


CRC_OF_BYTE = tuple(_crc_of(byte) for byte in range(256))
