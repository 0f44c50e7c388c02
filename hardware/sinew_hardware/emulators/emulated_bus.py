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

    def hear(self, data: bytes, now: int) -> Iterator[Reply]:
        """Take bytes that were written at `now`, in ns; yield the answers in the order they are due."""
        self._buffer += data
        self._free = max(self._free, now) + len(data) * self._byte
        while (instruction := self._protocol.take(self._buffer)) is not None:
            yield from self._obey(instruction, now)

    def _obey(self, instruction: Instruction, now: int) -> Iterator[Reply]:
        name = instruction.name
        for servo in self._addressed(instruction):
            if self.faults.silent(servo, now):
                self._free += round(SILENT_TURN * NANOSECONDS)
                continue
            if name in {"write", "sync_write"}:
                data = instruction.data.get(servo, instruction.data.get(BROADCAST, b""))
                self.memory.write(servo, instruction.address, data, self._free)
            elif name == "reboot":
                self.memory.power_cycle(servo)
            if name == "sync_write" or BROADCAST in instruction.servos:
                continue
            yield self._reply(servo, self._answer(instruction, servo), now)

    def _addressed(self, instruction: Instruction) -> list[int]:
        there = self.memory.ids
        if instruction.servos == (BROADCAST,):
            return list(there)
        return [servo for servo in instruction.servos if servo in there]

    def _answer(self, instruction: Instruction, servo: int) -> bytes:
        if instruction.name in {"read", "sync_read"}:
            return self.memory.read(servo, instruction.address, instruction.size)
        if instruction.name == "ping":
            return self._protocol.pinged(self.memory.read(servo, 0, 8))
        return b""

    def _reply(self, servo: int, data: bytes, now: int) -> Reply:
        packet = self._protocol.status(servo, self.memory.error(servo), data)
        self._free += round(RETURN_DELAY * NANOSECONDS) + len(packet) * self._byte
        return Reply(self._free, self.faults.spoil(servo, packet, now))
