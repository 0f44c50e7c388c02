"""A bus of emulated servos: instructions in, answers out, with the time that each takes on the wire."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sinew_core.types import NANOSECONDS

from sinew_hardware.emulators.bus_faults import BusFaults
from sinew_hardware.emulators.instructions import BROADCAST, BusProtocol, Instruction
from sinew_hardware.emulators.servo_memory import ServoMemory

RETURN_DELAY = 20e-6  # s, from a question to the first byte of an answer, as the arms' servos are set
BYTE_TO_BYTE = 0.1  # s between two bytes of a packet, after which a servo waits for a new one
SILENT_TURN = 200e-6  # s, after which the next servo answers in the place of a silent one


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes, and when the last of them has come over the wire."""

    due: int  # ns
    data: bytes


class EmulatedBus:
    """Answers as the servos of one arm on one wire would; not thread-safe, `faults` excepted."""

    def __init__(self, protocol: BusProtocol, memory: ServoMemory, baud: int, seed: int) -> None:
        self.memory, self.faults = memory, BusFaults(random.Random(seed))
        self._protocol = protocol
        self._byte = round(10 * NANOSECONDS / baud)  # ns
        self._buffer = bytearray()
        self._free = 0  # ns, when the wire is free again
        self._heard = 0  # ns

    def hear(self, data: bytes, now: int) -> Iterator[Reply]:
        """Take bytes that were written at `now`, in ns; yield the answers in the order they are due."""
        if now - self._heard > BYTE_TO_BYTE * NANOSECONDS:
            self._buffer.clear()
        self._heard = now
        self._buffer += data
        self._free = max(self._free, now) + len(data) * self._byte
        while (instruction := self._protocol.take(self._buffer)) is not None:
            yield from self._obey(instruction, now)

    def _obey(self, instruction: Instruction, now: int) -> Iterator[Reply]:
        asked = instruction.name == "ping" or BROADCAST not in instruction.servos
        for servo in self._addressed(instruction):
            if self.faults.silent(servo, now):
                self._free += round(SILENT_TURN * NANOSECONDS)
                continue
            packet = self._do(instruction, servo)
            if packet and asked and instruction.name != "sync_write":
                self._free += round(RETURN_DELAY * NANOSECONDS) + len(packet) * self._byte
                yield Reply(self._free, self.faults.spoil(servo, packet, now))

    def _addressed(self, instruction: Instruction) -> list[int]:
        there = self.memory.ids
        if instruction.servos == (BROADCAST,):
            return list(there)
        return [servo for servo in instruction.servos if servo in there]

    def _do(self, instruction: Instruction, servo: int) -> bytes:
        """Do what a servo is told; return its status packet."""
        memory, name, data = self.memory, instruction.name, b""
        if name in {"read", "sync_read"} and memory.has(instruction.address, instruction.size):
            data = memory.read(servo, instruction.address, instruction.size)
        elif name == "ping":
            data = self._protocol.pinged(memory.read(servo, 0, 8))
        elif name == "reboot":
            memory.power_cycle(servo)
        elif name == "unknown":
            return self._protocol.refusal(servo, memory.error(servo), "instruction")
        elif name not in {"write", "sync_write"} or not self._write(instruction, servo):
            return self._protocol.refusal(servo, memory.error(servo), "access")
        return self._protocol.status(servo, memory.error(servo), data)

    def _write(self, instruction: Instruction, servo: int) -> bool:
        data = instruction.data.get(servo, instruction.data.get(BROADCAST, b""))
        return self.memory.write(servo, instruction.address, data, self._free)
